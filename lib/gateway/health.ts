import type { ServiceHealth } from '../observability/provider-health.ts'
import { type RedisFacts, redisHealth } from '../observability/redis-health.ts'
import type { LifecycleState } from './lifecycle.ts'

export type HealthReport = Readonly<{
  status: ServiceHealth['status']
  uptimeSeconds: number
  version: string
  services: Readonly<Record<string, ServiceHealth>>
}>

export type HealthFacts = Readonly<{
  uptimeSeconds: number
  version: string
  state: LifecycleState
  limits: boolean
  caching: boolean
  /** What was seen of the Redis that gateways share, where one is configured. */
  redis: RedisFacts | undefined
  providers: Readonly<Record<string, ServiceHealth>>
}>

const gatewayHealth = (state: LifecycleState): ServiceHealth =>
  state === 'serving' ? { status: 'healthy' } : { status: 'unhealthy', message: 'stopping' }

/** A feature whose state lives in Redis, or in this process's memory and then is as well as the process. */
const stateIn = (place: string, on: boolean): ServiceHealth => ({
  status: 'healthy',
  message: on ? `in ${place}` : 'switched off',
})

/** Ailing providers make the gateway degraded; only what it cannot do without makes it unhealthy. */
const overall = (state: LifecycleState, services: readonly ServiceHealth[]): ServiceHealth['status'] => {
  if (state !== 'serving') return 'unhealthy'
  return services.every(({ status }) => status === 'healthy') ? 'healthy' : 'degraded'
}

/** The whole of `GET /api/health`, from what is known already: nothing is asked for it. */
export const reportHealth = ({
  uptimeSeconds,
  version,
  state,
  limits,
  caching,
  redis,
  providers,
}: HealthFacts): HealthReport => {
  const place = redis?.circuit.name === 'closed' ? 'Redis' : 'memory'
  const services = {
    gateway: gatewayHealth(state),
    ...(redis && { redis: redisHealth(redis) }),
    limits: stateIn(place, limits),
    cache: stateIn(place, caching),
    ...providers,
  }
  return { status: overall(state, Object.values(services)), uptimeSeconds, version, services }
}
