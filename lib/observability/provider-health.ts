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
  readonly #seen: Map<string, Stats>

  constructor(providers: readonly string[]) {
    this.#seen = new Map(providers.map(provider => [provider, { failuresInARow: 0 }]))
  }

  readonly succeeded = (provider: string, latencyMs: number): void => {
    this.#seen.set(provider, { failuresInARow: 0, latencyMs: Math.round(latencyMs) })
  }

  readonly failed = (provider: string, error: unknown): void => {
    if (!(error instanceof GatewayError) || !isProvidersFault(error)) return
    const seen = this.#seen.get(provider)
    const failuresInARow = (seen?.failuresInARow ?? 0) + 1
    this.#seen.set(provider, { ...seen, failuresInARow, lastFailure: error.code })
  }

  report(): Record<string, ServiceHealth> {
    return Object.fromEntries([...this.#seen].map(([provider, seen]) => [provider, healthOf(seen)]))
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
