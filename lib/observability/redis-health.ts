import type { ServiceHealth } from './provider-health.ts'

/** The last known state of Redis; `failing` lists operations whose last attempt failed, with the reason. */
export type RedisFacts = Readonly<{
  circuit: Readonly<{ name: string; reason?: string }>
  latencyMs: number | undefined
  failing: ReadonlyMap<string, string>
}>

const HUNDREDTHS = 100

/** Degraded at worst: without Redis the gateway continues alone. */
export const redisHealth = ({ circuit, latencyMs, failing }: RedisFacts): ServiceHealth => {
  const latency = latencyMs !== undefined && { latencyMs: Math.round(latencyMs * HUNDREDTHS) / HUNDREDTHS }
  if (circuit.name !== 'closed')
    return { status: 'degraded', ...latency, message: `not called: ${circuit.reason ?? 'it failed'}` }
  const [first] = failing
  if (first) return { status: 'degraded', ...latency, message: `${first[0]} fails: ${first[1]}` }
  return latency ? { status: 'healthy', ...latency } : { status: 'healthy', message: 'not called yet' }
}
