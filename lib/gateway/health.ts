import type { ServiceHealth } from '../observability/provider-health.ts'
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
  providers: Readonly<Record<string, ServiceHealth>>
}>

const gatewayHealth = (state: LifecycleState): ServiceHealth =>
  state === 'serving' ? { status: 'healthy' } : { status: 'unhealthy', message: 'stopping' }

/** What lives in this process's memory is as well as the process. */
const inMemory = (on: boolean): ServiceHealth => ({
  status: 'healthy',
  message: on ? 'in memory' : 'switched off',
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
  providers,
}: HealthFacts): HealthReport => {
  const services = {
    gateway: gatewayHealth(state),
    limits: inMemory(limits),
    cache: inMemory(caching),
    ...providers,
  }
  return { status: overall(state, Object.values(services)), uptimeSeconds, version, services }
}
