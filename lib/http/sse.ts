import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'

const TICK_MS = 15_000
const STALLED_AFTER_TICKS = 4
const PING = new TextEncoder().encode(': ping\n\n')
const encoder = new TextEncoder()

/** One event of a `text/event-stream`. */
export const sseEvent = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

export type EventStreamOptions = Readonly<{
  clock: Clock
  /** Called when the reader has gone, or has read nothing for 60 s. */
  abandon: (reason: GatewayError) => void
  /** Begins with a comment: headers wait for a body's first byte, which may be long in coming. */
  greets?: boolean
}>

/**
 * Text, or its bytes, as a response body, asked for only as fast as the client reads it. Silence is filled with a comment
 * every 15 s; a client that takes nothing for 60 s is given up.
 */
export const eventStream = (
  frames: AsyncIterable<string | Uint8Array>,
  { clock, abandon, greets }: EventStreamOptions,
): { stream: ReadableStream<Uint8Array>; ended: Promise<void> } => {
  const iterator = frames[Symbol.asyncIterator]()
  const ended = Promise.withResolvers<void>()
  let open = true
  let waitingForFrames = false
  let idleTicks = 0
  let controller: ReadableStreamDefaultController<Uint8Array>

  const finish = () => {
    open = false
    ticker.cancel()
    ended.resolve()
  }
  const leave = async (reason: GatewayError) => {
    open = false
    abandon(reason)
    await iterator.return?.()
    finish()
  }
  const ticker = clock.timer(TICK_MS, () => {
    ticker.refresh()
    if (waitingForFrames) return controller.enqueue(PING)
    idleTicks += 1
    if (idleTicks < STALLED_AFTER_TICKS) return
    const reason = new GatewayError('CLIENT_GONE', 'The client stopped reading.')
    controller.error(reason)
    void leave(reason)
  })
  const advance = async () => {
    const step = await iterator.next()
    if (!open) return
    if (!step.done)
      return controller.enqueue(typeof step.value === 'string' ? encoder.encode(step.value) : step.value)
    controller.close()
    finish()
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      start(itself) {
        controller = itself
        if (greets) controller.enqueue(PING)
      },
      async pull() {
        waitingForFrames = true
        idleTicks = 0
        ticker.refresh()
        try {
          await advance()
        } catch (error) {
          finish()
          throw error
        } finally {
          waitingForFrames = false
        }
      },
      cancel: () => leave(new GatewayError('CLIENT_GONE')),
    },
    { highWaterMark: 0 },
  )
  return { stream, ended: ended.promise }
}
