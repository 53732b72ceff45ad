import type { Policy } from '../compose.ts'
import { reshape } from './tap.ts'
import type { Call, Reply, ReplyEvent } from './types.ts'

/** As much of `text` as fits into `maxBytes` of UTF-8 without splitting a character. */
export const cutToBytes = (text: string, maxBytes: number): string => {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  let end = Math.max(0, maxBytes)
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

/** The part of a batch that still fits, and the bytes left after it; less than zero once something did not. */
const clip = (batch: readonly ReplyEvent[], maxBytes: number): { kept: ReplyEvent[]; left: number } => {
  const kept: ReplyEvent[] = []
  let left = maxBytes
  for (const event of batch) {
    if (event.type === 'text-delta') {
      const text = cutToBytes(event.text, left)
      left -= Buffer.byteLength(event.text)
      if (text !== '') kept.push(text === event.text ? event : { type: 'text-delta', text })
      if (left < 0) break
    } else kept.push(event)
  }
  return { kept, left }
}

async function* cut(events: Reply['events'], maxBytes: number): AsyncGenerator<readonly ReplyEvent[]> {
  let left = maxBytes
  let last: readonly ReplyEvent[] = []
  for await (const batch of events) {
    const clipped = clip(batch, left)
    left = clipped.left
    last = clipped.kept
    if (left < 0) break
    yield last
  }
  if (left < 0) yield [...last, { type: 'finish', reason: 'length', truncated: true }]
}

/** Ends an answer that outgrows `call.maxResponseBytes` there, and stops the upstream. */
export const truncate = (): Policy<Call, Reply> =>
  async function truncate(call, next) {
    const reply = await next(call)
    const maxBytes = call.maxResponseBytes
    return maxBytes === undefined ? reply : reshape(reply, events => cut(events, maxBytes))
  }
