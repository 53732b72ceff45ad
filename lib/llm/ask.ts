import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { type Attempt, beginAttempt } from '../request-context.ts'
import { type DrainDeps, drained } from './drain.ts'
import { tap } from './events.ts'
import type { Endpoint } from './passthrough.ts'
import type { Call, Provider, Reply, Target, Usage } from './types.ts'

/** Called with the outcome of each attempt at a provider. */
export type AttemptListener = Readonly<{
  succeeded: (provider: string, latencyMs: number) => void
  failed: (provider: string, error: unknown) => void
}>

export type AskDeps = Readonly<{
  providers: ReadonlyMap<string, Provider>
  clock: Clock
  listener: AttemptListener
  /** Adds its cost to the usage of an attempt that began at that time. */
  priced: (usage: Usage, target: Target, at: number) => Usage
  /** What happens to answers whose client has gone. */
  drain: DrainDeps
  /** Called once for each attempt, when it has ended and its usage is known. */
  onAttemptEnd: (call: Call, attempt: Attempt) => void
}>

type Ending = NonNullable<Attempt['outcome']>

const outcomeOf = (error: unknown): Ending =>
  error instanceof GatewayError && error.code === 'CLIENT_GONE' ? 'aborted' : 'error'

/** Records how an attempt has ended, and what it has used: the provider's report before its failure where there is one. */
const settle = (
  call: Call,
  attempt: Attempt,
  { priced, onAttemptEnd }: AskDeps,
  ending: Readonly<{ outcome: Ending; usage?: Usage; error?: unknown }>,
): void => {
  const { usage = attempt.usage, error } = ending
  if (usage) attempt.usage = priced(usage, attempt.target, attempt.startedAt)
  if (error instanceof GatewayError) attempt.error = error
  attempt.outcome = ending.outcome
  call.account?.ended(attempt)
  onAttemptEnd(call, attempt)
}

/** Whether a provider can be called for an endpoint at all. */
export const hasEndpoint = ({ endpoints, pass }: Provider, endpoint: Endpoint | 'chat'): boolean =>
  endpoints?.has(endpoint) ?? (endpoint === 'chat' || pass !== undefined)

const missingEndpoint = ({ passthrough }: Call, { provider }: Target): GatewayError => {
  const message = `${provider} has no endpoint /v1/${passthrough?.endpoint ?? 'chat/completions'}.`
  return new GatewayError('INVALID_INPUT', message, { details: [{ path: 'model', message }] })
}

/** One attempt at the first target of the plan. */
const attempted = async (call: Call, provider: Provider, target: Target, deps: AskDeps): Promise<Reply> => {
  const { clock, listener } = deps
  const attempt = beginAttempt(call, target, clock.now())
  call.account?.begun(attempt)
  const ended = (): number => {
    attempt.endedAt = clock.now()
    return attempt.endedAt - attempt.startedAt
  }
  try {
    const reply = await (call.passthrough && provider.pass
      ? provider.pass(call, target, attempt)
      : provider.ask(call, target, attempt))
    attempt.firstContentAt = clock.now()
    call.journal.firstContentAt ??= attempt.firstContentAt
    let error: GatewayError | undefined
    const answer = tap(reply, {
      onEvents(events) {
        for (const event of events)
          if (event.type === 'error') {
            error = event.error
            listener.failed(target.provider, event.error)
          }
      },
      onEnd(ending) {
        const latencyMs = ended()
        if (ending === 'complete') listener.succeeded(target.provider, latencyMs)
        const outcome = ending === 'complete' ? 'ok' : error ? outcomeOf(error) : 'aborted'
        void reply.usage.then(usage => settle(call, attempt, deps, { outcome, usage, error }))
      },
    })
    return { ...answer, attempt }
  } catch (error) {
    ended()
    listener.failed(target.provider, error)
    settle(call, attempt, deps, { outcome: outcomeOf(error), error })
    throw error
  }
}

/**
 * The innermost handler: calls the first target of the plan. One without the endpoint of the call is not attempted, nor
 * is any for a call that has ended while it waited, for a slot or its money.
 */
export const ask = (deps: AskDeps): Handler<Call, Reply> =>
  async function ask(call) {
    const target = call.plan[0]
    const provider = target && deps.providers.get(target.provider)
    if (!provider) throw new GatewayError('MODEL_UNAVAILABLE', undefined, { retryAfterSeconds: 1 })
    if (!hasEndpoint(provider, call.passthrough?.endpoint ?? 'chat')) throw missingEndpoint(call, target)
    if (call.signal.aborted) throw toGatewayError(call.signal.reason)
    if (call.passthrough || !deps.drain.isOn(target.provider)) return attempted(call, provider, target, deps)
    return drained(call, one => attempted(one, provider, target, deps), deps.drain)
  }
