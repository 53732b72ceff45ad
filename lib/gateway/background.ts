import type { Background } from '../cache/refreshes.ts'
import type { Clock } from '../clock.ts'
import { compose, type Policy } from '../compose.ts'
import { type GatewayError, toGatewayError } from '../errors.ts'
import type { ActiveRequests } from '../http/active-requests.ts'
import type { Call, Reply } from '../llm/types.ts'
import { observe } from '../observability/observe.ts'
import { newJournal, type RequestContext } from '../request-context.ts'

/** Called at each end, with its error. */
export type BackgroundEnd = (context: RequestContext, error: GatewayError | undefined) => void

export type BackgroundDeps = Readonly<{
  activeRequests: ActiveRequests
  clock: Clock
  timeoutMs: number
  /** Computes the cost of the usage. */
  price: Policy<Call, Reply>
  onEnd: BackgroundEnd
}>

const NO_CALLER = new AbortController().signal

/** The same call without a client: it must not end with the request that triggered it. */
const withoutCaller = (call: Call, signal: AbortSignal, startedAt: number, timeoutMs: number): Call => ({
  ...call,
  requestId: `${call.requestId}:refresh`,
  stream: false,
  signal,
  startedAt,
  deadlineAt: startedAt + timeoutMs,
  journal: { ...newJournal(), caller: call.caller.kind },
})

/**
 * Runs work for which no request waits, with a request context of its own: a stopping gateway waits for it, and aborts
 * it at the end of the grace period.
 */
export const background = ({
  activeRequests,
  clock,
  timeoutMs,
  price,
  onEnd,
}: BackgroundDeps): Background => {
  const observed = compose<Call, Reply>(observe(), price)

  return async (call, answer) => {
    const open = activeRequests.open(NO_CALLER)
    const work = withoutCaller(call, open.signal, clock.now(), timeoutMs)
    let error: GatewayError | undefined
    try {
      const reply = await observed(answer)(work)
      const events = reply.events[Symbol.asyncIterator]()
      while (!(await events.next()).done);
      error = work.journal.error
    } catch (thrown) {
      error = toGatewayError(thrown)
    }
    open.close()
    onEnd(work, error)
  }
}
