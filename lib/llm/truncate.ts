import type { Policy } from '../compose.ts'
import { addedText, transform } from './events.ts'
import type { Call, EventGroup, Reply, ReplyEvent } from './types.ts'

/** The longest beginning of `text` that fits into `maxBytes` of UTF-8 without splitting a character. */
export const cutToBytes = (text: string, maxBytes: number): string => {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  let end = Math.max(0, maxBytes)
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

const bytesOf = (events: EventGroup): number => {
  let bytes = 0
  for (const event of events) bytes += Buffer.byteLength(addedText(event))
  return bytes
}

/**
 * The part that fits into `maxBytes` of events that do not fit as a whole. A tool's arguments are not cut: a part of
 * them is not JSON.
 */
const clipped = (events: EventGroup, maxBytes: number): EventGroup => {
  const kept: ReplyEvent[] = []
  let left = maxBytes
  for (const event of events) {
    if (event.type === 'tool') kept.push(event)
    if (!('text' in event) && event.type !== 'tool-call-delta') continue
    left -= Buffer.byteLength(addedText(event))
    if (left >= 0) kept.push(event)
    else if (event.type !== 'tool-call-delta') {
      const text = cutToBytes(event.text, left + Buffer.byteLength(event.text))
      if (text !== '') kept.push({ ...event, text })
    }
    if (left < 0) break
  }
  return kept
}

const CUT: ReplyEvent = { type: 'finish', reason: 'length', truncated: true }

const limitOf = ({ maxResponseBytes, caller }: Call): number | undefined =>
  typeof maxResponseBytes === 'object' ? maxResponseBytes[caller.kind] : maxResponseBytes

/** Ends an answer that outgrows `call.maxResponseBytes` there, and stops the upstream. */
export const truncate = (): Policy<Call, Reply> =>
  async function truncate(call, next) {
    const reply = await next(call)
    const maxBytes = limitOf(call)
    if (maxBytes === undefined) return reply
    let left = maxBytes
    return transform(reply, events => {
      const before = left
      left -= bytesOf(events)
      return left >= 0 ? { events } : { events: [...clipped(events, before), CUT], ends: true }
    })
  }
