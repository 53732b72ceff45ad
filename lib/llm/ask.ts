import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Attempt } from '../request-context.ts'
import { tap } from './events.ts'
import type { Call, Provider, Reply, Target } from './types.ts'

/** Called with the outcome of each attempt at a provider. */
export type AttemptListener = Readonly<{
  succeeded: (provider: string, latencyMs: number) => void
  failed: (provider: string, error: unknown) => void
}>

export type AskDeps = Readonly<{
  providers: ReadonlyMap<string, Provider>
  clock: Clock
  listener: AttemptListener
}>

const passOrThrow = (provider: Provider, call: Call, target: Target): Promise<Reply> => {
  if (provider.pass) return provider.pass(call, target)
  const message = `${target.provider} has no endpoint /v1/${call.passthrough?.endpoint}.`
  throw new GatewayError('INVALID_INPUT', message, { details: [{ path: 'model', message }] })
}

/** The innermost handler: calls the first target of the plan. */
export const ask = ({ providers, clock, listener }: AskDeps): Handler<Call, Reply> =>
  async function ask(call) {
    const target = call.plan[0]
    const provider = target && providers.get(target.provider)
    if (!provider) throw new GatewayError('MODEL_UNAVAILABLE', undefined, { retryAfterSeconds: 1 })

    const attempt: Attempt = { target, startedAt: clock.now() }
    call.attempts.begin(attempt)
    call.journal.attempts.push(attempt)
    const ended = (): number => {
      attempt.endedAt = clock.now()
      return attempt.endedAt - attempt.startedAt
    }
    try {
      const reply = await (call.passthrough
        ? passOrThrow(provider, call, target)
        : provider.ask(call, target))
      attempt.firstContentAt = clock.now()
      call.journal.firstContentAt ??= attempt.firstContentAt
      const answer = tap(reply, {
        onEvents(events) {
          for (const event of events)
            if (event.type === 'error') listener.failed(target.provider, event.error)
        },
        onEnd(ending) {
          const latencyMs = ended()
          if (ending === 'complete') listener.succeeded(target.provider, latencyMs)
        },
      })
      return { ...answer, attempt }
    } catch (error) {
      ended()
      listener.failed(target.provider, error)
      throw error
    }
  }
