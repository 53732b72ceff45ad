import type { Clock } from '../clock.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { turn } from '../loop-turns.ts'
import { OneAhead, type Pieces } from './pieces.ts'
import type { BodyObserver } from './route-response.ts'

const TICK_MS = 15_000
const STALLED_AFTER_TICKS = 4
const encoder = new TextEncoder()

export type PacedBodyOptions = Readonly<{
  clock: Clock
  /** Called when the reader has disconnected, has read nothing for 60 s, or when the source fails. */
  abort: (reason: GatewayError) => void
  /** Sent after every 15 s of silence. */
  keepAlive?: Uint8Array
  /** Starts with the keep-alive. */
  startWithPing?: boolean
}>

export type PacedBody = Readonly<{
  stream: ReadableStream<Uint8Array>
  ended: Promise<void>
  /** Observes the body. Called before it is read; settles with `ended`. */
  observe: (observer: BodyObserver) => Promise<void>
}>

/**
 * Text, or its bytes, as a response body, pulled only as fast as the client reads it. When a client takes nothing for
 * 60 s, its connection is cut.
 */
export const pacedBody = (
  pieces: Pieces<string | Uint8Array>,
  { clock, abort, keepAlive, startWithPing = false }: PacedBodyOptions,
): PacedBody => {
  const iterator = pieces[Symbol.asyncIterator]()
  const ended = Promise.withResolvers<void>()
  let open = true
  let isComplete = false
  let isStarted = false
  let waitingForPiece = false
  let idleTicks = 0
  let controller: ReadableStreamDefaultController<Uint8Array>
  let observer: BodyObserver | undefined
  let ahead: OneAhead<string | Uint8Array> | undefined

  const finish = () => {
    open = false
    ticker.cancel()
    ended.resolve()
  }
  const cancel = async (reason: GatewayError) => {
    open = false
    // Thousands of clients may disconnect in the same moment.
    await turn()
    abort(reason)
    await close()
    finish()
  }
  /** A generator that was never started would skip its `finally`, and leave its source open. */
  const close = async () => {
    if (!isStarted) await iterator.next().catch(() => undefined)
    await iterator.return?.()
  }
  const ticker = clock.timer(TICK_MS, () => {
    ticker.refresh()
    if (waitingForPiece) return keepAlive && controller.enqueue(keepAlive)
    idleTicks += 1
    if (idleTicks < STALLED_AFTER_TICKS) return
    const reason = new GatewayError('CLIENT_GONE', 'The client stopped reading.')
    controller.error(reason)
    void cancel(reason)
  })
  const beginToWait = () => {
    idleTicks = 0
    ticker.refresh()
  }
  /** @returns whether the body is still wanted */
  const isObserved = async ({ onPiece, onComplete }: BodyObserver, piece: Uint8Array | undefined) => {
    if (piece) onPiece(piece)
    const isLast = ahead ? piece === undefined || ahead.isLast : pieces.end !== undefined
    if (isLast && pieces.end !== 'failed' && !isComplete) {
      isComplete = true
      await onComplete()
    }
    return open
  }
  const advance = async () => {
    isStarted = true
    const step = await (ahead ?? iterator).next()
    // Thousands of bodies may continue in the same moment; an end belongs to the piece before it.
    const wait = step.done ? undefined : turn()
    if (wait) await wait
    if (!open) return
    const bytes = typeof step.value === 'string' ? encoder.encode(step.value) : step.value
    if (observer && !(await isObserved(observer, bytes))) return
    if (step.done) {
      controller.close()
      return finish()
    }
    beginToWait()
    controller.enqueue(bytes)
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      start(itself) {
        controller = itself
        if (startWithPing && keepAlive) controller.enqueue(keepAlive)
      },
      async pull() {
        waitingForPiece = true
        beginToWait()
        try {
          await advance()
        } catch (error) {
          if (open) abort(toGatewayError(error))
          finish()
          throw error
        } finally {
          waitingForPiece = false
        }
      },
      cancel: () => cancel(new GatewayError('CLIENT_GONE')),
    },
    { highWaterMark: 0 },
  )
  const observe = (by: BodyObserver) => {
    observer = by
    if (!pieces.reportsEndAhead) ahead = new OneAhead(iterator)
    return ended.promise
  }
  return { stream, ended: ended.promise, observe }
}
