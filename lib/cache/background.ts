import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { type GatewayError, toGatewayError } from '../errors.ts'
import { AttemptBudget } from '../llm/attempt-budget.ts'
import type { Call, Reply } from '../llm/types.ts'
import { type BackgroundEnd, newJournal } from '../request-context.ts'
import type { Background } from './refreshes.ts'

export type BackgroundDeps = Readonly<{
  /** Opens a request of its own, which ends with `close`. */
  open: (client: AbortSignal) => Readonly<{ signal: AbortSignal; close: (record: Promise<void>) => void }>
  clock: Clock
  timeoutMs: number
  /** The pipeline of a refresh. */
  pipeline: (answer: Handler<Call, Reply>) => Handler<Call, Reply>
  onEnd: BackgroundEnd
}>

const NO_CALLER = new AbortController().signal

/** The same call without its client: it must not end with the request that triggered it. */
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
 * Runs work for which no client waits, as a request of its own: a stopping gateway waits for it, and aborts it at the
 * end of the grace period.
 */
export const background = ({ open, clock, timeoutMs, pipeline, onEnd }: BackgroundDeps): Background => {
  return async (call, answer) => {
    const request = open(NO_CALLER)
    const work = withoutCaller(call, request.signal, clock.now(), timeoutMs)
    let error: GatewayError | undefined
    try {
      const reply = await pipeline(answer)(work)
      const events = reply.events[Symbol.asyncIterator]()
      while (!(await events.next()).done);
    } catch (thrown) {
      error = toGatewayError(thrown)
    }
    request.close(onEnd(work, error))
  }
}
