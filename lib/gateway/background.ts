import type { Background } from '../cache/refreshes.ts'
import type { Clock } from '../clock.ts'
import { compose, type Policy } from '../compose.ts'
import { type GatewayError, toGatewayError } from '../errors.ts'
import type { ActiveRequests } from '../http/active-requests.ts'
import { AttemptBudget } from '../llm/attempt-budget.ts'
import type { Call, Reply } from '../llm/types.ts'
import { record } from '../observability/record.ts'
import { newJournal, type RequestContext } from '../request-context.ts'

/** Told of each end, with what it failed with before its answer had begun. Never rejects. */
export type BackgroundEnd = (context: RequestContext, error: GatewayError | undefined) => Promise<void>

export type BackgroundDeps = Readonly<{
  activeRequests: ActiveRequests
  clock: Clock
  timeoutMs: number
  /** Puts the price on what was used. */
  price: Policy<Call, Reply>
  onEnd: BackgroundEnd
}>

const NO_CALLER = new AbortController().signal

/** The same question, asked for nobody: it must not end with the visitor who gave the occasion. */
const withoutCaller = (call: Call, signal: AbortSignal, startedAt: number, timeoutMs: number): Call => ({
  ...call,
  requestId: `${call.requestId}:refresh`,
  stream: false,
  signal,
  startedAt,
  deadlineAt: startedAt + timeoutMs,
  attempts: new AttemptBudget(),
  journal: { ...newJournal(), caller: call.caller.kind },
})

/**
 * Does what no visitor waits for, as a visit of its own: a gateway that stops waits for it, and in the end breaks
 * it off.
 */
export const background = ({
  activeRequests,
  clock,
  timeoutMs,
  price,
  onEnd,
}: BackgroundDeps): Background => {
  const observed = compose<Call, Reply>(record(), price)

  return async (call, answer) => {
    const open = activeRequests.open(NO_CALLER)
    const work = withoutCaller(call, open.signal, clock.now(), timeoutMs)
    let error: GatewayError | undefined
    try {
      const reply = await observed(answer)(work)
      const events = reply.events[Symbol.asyncIterator]()
      while (!(await events.next()).done);
    } catch (thrown) {
      error = toGatewayError(thrown)
    }
    open.close(onEnd(work, error))
  }
}
