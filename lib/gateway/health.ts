import type { Target } from '../llm/types.ts'
import { type BatchFacts, queueHealth, recordsHealth } from '../observability/batch-health.ts'
import type { ServiceHealth } from '../observability/provider-health.ts'
import { type RedisFacts, redisHealth } from '../observability/redis-health.ts'
import type { Circuit } from '../resilience/breaker/circuit.ts'
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
  /** The last known state of the shared Redis, where one is configured. */
  redis: RedisFacts | undefined
  /** The last known state of the database and its queue, where batches are switched on. */
  batch: BatchFacts | undefined
  /** Absent where no configuration file is used. */
  config: ServiceHealth | undefined
  providers: Readonly<Record<string, ServiceHealth>>
}>

const gatewayHealth = (state: LifecycleState): ServiceHealth =>
  state === 'serving' ? { status: 'healthy' } : { status: 'unhealthy', message: 'stopping' }

/** A feature whose state lives in Redis, or in this process's memory and then is as healthy as the process. */
const stateIn = (backend: string, on: boolean): ServiceHealth => ({
  status: 'healthy',
  message: on ? `in ${backend}` : 'switched off',
})

type Providers = HealthFacts['providers']

/** Why a model is not called right now; undefined where it is. */
const otherFacts = (circuit: Circuit): string | undefined => {
  const { state, reason, nextProbeInMs } = circuit.describe()
  if (state === 'half-open') return `is being probed (${reason})`
  // Its time is over and no call has followed: the old state is meaningless.
  if (state === 'closed' || !nextProbeInMs) return undefined
  return `is not called (${reason}), next probe in ${Math.ceil(nextProbeInMs / 1000)} s`
}

/**
 * The providers' health, with their models that are not called.
 *
 * @param isKnown whether a name may be shown: clients choose those outside the catalog freely.
 */
export const withCircuits = (
  providers: Providers,
  circuits: readonly (readonly [Target, Circuit])[],
  isKnown: (target: Target) => boolean,
): Providers => {
  const services: Record<string, ServiceHealth> = { ...providers }
  for (const [target, circuit] of circuits) {
    const rest = otherFacts(circuit)
    const service = services[target.provider]
    if (!rest || !service) continue
    const message = `${isKnown(target) ? target.name : 'a model'} ${rest}`
    services[target.provider] = {
      ...service,
      status: service.status === 'healthy' ? 'degraded' : service.status,
      message: service.message ? `${service.message}; ${message}` : message,
    }
  }
  return services
}

/** A failing dependency makes the gateway degraded: it still serves. Only a stopping one is unhealthy. */
const overall = (
  state: LifecycleState,
  services: Readonly<Record<string, ServiceHealth>>,
): ServiceHealth['status'] => {
  if (state !== 'serving') return 'unhealthy'
  return Object.values(services).every(({ status }) => status === 'healthy') ? 'healthy' : 'degraded'
}

/** The body of `GET /api/health`, from known state: it makes no calls. */
export const reportHealth = ({
  uptimeSeconds,
  version,
  state,
  limits,
  caching,
  redis,
  batch,
  config,
  providers,
}: HealthFacts): HealthReport => {
  const backend = redis?.circuit.name === 'closed' ? 'Redis' : 'memory'
  const services = {
    gateway: gatewayHealth(state),
    ...(redis && { redis: redisHealth(redis) }),
    limits: stateIn(backend, limits),
    cache: stateIn(backend, caching),
    ...(batch && { records: recordsHealth(batch), queue: queueHealth(batch) }),
    ...(config && { config }),
    ...providers,
  }
  return { status: overall(state, services), uptimeSeconds, version, services }
}
