import { GatewayError, isProvidersFault } from '../errors.ts'
import type { AttemptListener } from '../llm/ask.ts'

export type ServiceHealth = Readonly<{
  status: 'healthy' | 'degraded' | 'unhealthy'
  latencyMs?: number
  message?: string
}>

type Stats = { failuresInARow: number; latencyMs?: number; lastFailure?: string }

const FAILURES_TO_BE_UNHEALTHY = 3

/** The providers' health, from the outcomes of real calls; it makes none of its own. */
export class ProviderHealth implements AttemptListener {
  readonly #stats: Map<string, Stats>

  constructor(providers: readonly string[]) {
    this.#stats = new Map(providers.map(provider => [provider, { failuresInARow: 0 }]))
  }

  readonly succeeded = (provider: string, latencyMs: number): void => {
    this.#stats.set(provider, { failuresInARow: 0, latencyMs: Math.round(latencyMs) })
  }

  readonly failed = (provider: string, error: unknown): void => {
    if (!(error instanceof GatewayError) || !isProvidersFault(error)) return
    const stats = this.#stats.get(provider)
    const failuresInARow = (stats?.failuresInARow ?? 0) + 1
    this.#stats.set(provider, { ...stats, failuresInARow, lastFailure: error.code })
  }

  report(): Record<string, ServiceHealth> {
    return Object.fromEntries([...this.#stats].map(([provider, stats]) => [provider, healthOf(stats)]))
  }
}

const healthOf = ({ failuresInARow, latencyMs, lastFailure }: Stats): ServiceHealth => {
  const latency = latencyMs !== undefined && { latencyMs }
  if (failuresInARow > 0) {
    const status = failuresInARow < FAILURES_TO_BE_UNHEALTHY ? 'degraded' : 'unhealthy'
    return { status, ...latency, message: `${failuresInARow} failures in a row, the last one ${lastFailure}` }
  }
  return latency ? { status: 'healthy', ...latency } : { status: 'healthy', message: 'not called yet' }
}
