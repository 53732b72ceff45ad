import type { Target } from '../llm/types.ts'
import { type BatchFacts, queueHealth, type RecordsFacts, recordsHealth } from './batch-health.ts'
import type { ServiceHealth } from './provider-health.ts'
import { type RedisFacts, redisHealth } from './redis-health.ts'

export type HealthReport = Readonly<{
  status: ServiceHealth['status']
  uptimeSeconds: number
  version: string
  services: Readonly<Record<string, ServiceHealth>>
}>

export type HealthFacts = Readonly<{
  uptimeSeconds: number
  version: string
  /** False once the gateway stops. */
  isServing: boolean
  limits: boolean
  caching: boolean
  /** The last known state of the shared Redis, where one is configured. */
  redis: RedisFacts | undefined
  records: RecordsFacts
  /** The last known state of the queue, where batches are switched on. */
  batch: BatchFacts | undefined
  /** Absent where no configuration file is used. */
  config: Readonly<{ problem: string | undefined }> | undefined
  providers: Readonly<Record<string, ServiceHealth>>
}>

const gatewayHealth = (isServing: boolean): ServiceHealth =>
  isServing ? { status: 'healthy' } : { status: 'unhealthy', message: 'stopping' }

/** A feature whose state lives in Redis, or in this process's memory and then is as healthy as the process. */
const stateIn = (backend: string, on: boolean): ServiceHealth => ({
  status: 'healthy',
  message: on ? `in ${backend}` : 'switched off',
})

const configHealth = (problem: string | undefined): ServiceHealth =>
  problem === undefined ? { status: 'healthy' } : { status: 'degraded', message: problem }

type Providers = HealthFacts['providers']

/** A circuit's description of its state. */
type DescribedCircuit = Readonly<{
  describe: () => Readonly<{ state: string; reason?: string | undefined; nextProbeInMs?: number | undefined }>
}>

/** Why a model gets no calls at present; undefined where it gets them. */
const circuitMessage = (circuit: DescribedCircuit): string | undefined => {
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
  circuits: readonly (readonly [Target, DescribedCircuit])[],
  isKnown: (target: Target) => boolean,
): Providers => {
  const services: Record<string, ServiceHealth> = { ...providers }
  for (const [target, circuit] of circuits) {
    const reason = circuitMessage(circuit)
    const service = services[target.provider]
    if (!reason || !service) continue
    const message = `${isKnown(target) ? target.name : 'a model'} ${reason}`
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
  isServing: boolean,
  services: Readonly<Record<string, ServiceHealth>>,
): ServiceHealth['status'] => {
  if (!isServing) return 'unhealthy'
  return Object.values(services).every(({ status }) => status === 'healthy') ? 'healthy' : 'degraded'
}

/** The body of `GET /api/health`, from known state: it makes no calls. */
export const reportHealth = ({
  uptimeSeconds,
  version,
  isServing,
  limits,
  caching,
  redis,
  records,
  batch,
  config,
  providers,
}: HealthFacts): HealthReport => {
  const backend = redis?.circuit.name === 'closed' ? 'Redis' : 'memory'
  const services = {
    gateway: gatewayHealth(isServing),
    ...(redis && { redis: redisHealth(redis) }),
    limits: stateIn(backend, limits),
    cache: stateIn(backend, caching),
    records: recordsHealth(records),
    ...(batch && { queue: queueHealth(batch) }),
    ...(config && { config: configHealth(config.problem) }),
    ...providers,
  }
  return { status: overall(isServing, services), uptimeSeconds, version, services }
}
