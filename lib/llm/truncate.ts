import type { Policy } from '../compose.ts'
import type { Call, EventGroup, Reply, ReplyEvent } from './types.ts'

type Step = IteratorResult<EventGroup>

/** As much of `text` as fits into `maxBytes` of UTF-8 without splitting a character. */
export const cutToBytes = (text: string, maxBytes: number): string => {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  let end = Math.max(0, maxBytes)
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

const bytesOf = (group: EventGroup): number => {
  let bytes = 0
  for (const event of group) if (event.type === 'text-delta') bytes += Buffer.byteLength(event.text)
  return bytes
}

/** The part that fits into `maxBytes` of a group that does not fit as a whole. */
const clipped = (group: EventGroup, maxBytes: number): EventGroup => {
  const kept: ReplyEvent[] = []
  let left = maxBytes
  for (const event of group) {
    if (event.type !== 'text-delta') continue
    const text = cutToBytes(event.text, left)
    left -= Buffer.byteLength(event.text)
    if (text !== '') kept.push({ type: 'text-delta', text })
    if (left < 0) break
  }
  return kept
}

/** Events up to a number of bytes. Closing them, read or unread, closes their source. */
class CutEvents implements AsyncIterableIterator<EventGroup> {
  readonly #source: AsyncIterator<EventGroup>
  #left: number
  #over = false

  constructor(events: Reply['events'], maxBytes: number) {
    this.#source = events[Symbol.asyncIterator]()
    this.#left = maxBytes
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async return(): Promise<Step> {
    this.#over = true
    await this.#source.return?.()
    return { done: true, value: undefined }
  }

  next(): Promise<Step> {
    if (this.#over) return Promise.resolve({ done: true, value: undefined })
    return this.#source.next().then(this.#cut)
  }

  readonly #cut = (step: Step): Step | Promise<Step> => {
    if (step.done) return step
    const before = this.#left
    this.#left -= bytesOf(step.value)
    if (this.#left >= 0) return step
    const last: EventGroup = [
      ...clipped(step.value, before),
      { type: 'finish', reason: 'length', truncated: true },
    ]
    return this.return().then(() => ({ done: false, value: last }))
  }
}

const limitOf = ({ maxResponseBytes, caller }: Call): number | undefined =>
  typeof maxResponseBytes === 'object' ? maxResponseBytes[caller.kind] : maxResponseBytes

/** Ends an answer that outgrows `call.maxResponseBytes` there, and stops the upstream. */
export const truncate = (): Policy<Call, Reply> =>
  async function truncate(call, next) {
    const reply = await next(call)
    const maxBytes = limitOf(call)
    return maxBytes === undefined ? reply : { ...reply, events: new CutEvents(reply.events, maxBytes) }
  }
