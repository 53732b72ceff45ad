import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { type GatewayError, toGatewayError } from '../errors.ts'
import { AttemptBudget } from '../llm/attempt-budget.ts'
import type { Call, Reply } from '../llm/types.ts'
import { type BackgroundEnd, newJournal } from '../request-context.ts'
import type { Background } from './refreshes.ts'

export type BackgroundDeps = Readonly<{
  /** Opens a request of its own, which ends with `close`. */
  open: (client: AbortSignal) => Readonly<{ signal: AbortSignal; close: () => void }>
  clock: Clock
  timeoutMs: number
  /** What happens to an answer that no client asked for. */
  pipeline: (answer: Handler<Call, Reply>) => Handler<Call, Reply>
  onEnd: BackgroundEnd
}>

const NO_CALLER = new AbortController().signal

/** The same question without its caller: it must not end with the request that gave the occasion. */
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
 * Does what no client waits for, as a request of its own: a gateway that stops waits for it, and aborts it at the end
 * of its grace.
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
    request.close()
    onEnd(work, error)
  }
}
