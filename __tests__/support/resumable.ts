import { frames } from '#lib/http/dialects/chat.ts'
import type { Call, ReplyEvent } from '#lib/llm/types.ts'
import { resume } from '#lib/resume/policy.ts'
import { Streams, type StreamsOptions } from '#lib/resume/streams.ts'
import { newCall, replyOf } from './calls.ts'
import { FakeClock } from './fake-clock.ts'

/** An upstream that says what it is told to, and ends with the reason when its call is aborted. */
export const obedientUpstream = (call: Call) => {
  const waiting: (readonly ReplyEvent[])[] = []
  let wake = Promise.withResolvers<void>()
  const say = (...events: ReplyEvent[]) => {
    waiting.push(events)
    wake.resolve()
  }
  call.signal.addEventListener('abort', () => say({ type: 'error', error: call.signal.reason }))
  async function* events(): AsyncGenerator<readonly ReplyEvent[]> {
    for (;;) {
      const batch = waiting.shift()
      if (!batch) {
        wake = Promise.withResolvers()
        await wake.promise
        continue
      }
      yield batch
      if (batch.some(({ type }) => type !== 'text-delta')) return
    }
  }
  return { call, say, reply: replyOf(events()) }
}

let ids = 0

/** Streams under a fake clock, and a way to ask for one. */
export const streamsSetting = (options: Partial<StreamsOptions> = {}) => {
  const clock = new FakeClock()
  const newId = () => `chat_${(++ids).toString(16).padStart(32, '0')}`
  const limits = { graceMs: 15_000, keptMs: 300_000, most: 10, mostBytes: 1_000_000 }
  const streams = new Streams({ clock, newId, ...limits, ...options })
  const policy = resume(streams)

  const ask = async (changes: Partial<Call> = {}) => {
    const call = newCall({ stream: true, resume: true, ...changes })
    let upstream: ReturnType<typeof obedientUpstream> | undefined
    const reply = await policy(call, async inner => {
      upstream = obedientUpstream(inner)
      return { ...upstream.reply, head: { ...upstream.reply.head, id: newId() } }
    })
    if (!upstream) throw new Error('nobody was asked')
    return { call, reply, upstream }
  }
  /** Asks, and has the frames written as a route does. */
  const start = async (changes: Partial<Call> = {}) => {
    const asked = await ask(changes)
    const stream = streams.opened(asked.reply)
    if (!stream) throw new Error('no stream was opened')
    const written = stream.write(frames(asked.call, asked.reply, clock))
    return { ...asked, stream, written, call: asked.call }
  }
  return { clock, streams, ask, start }
}

/** A client that reads until it leaves. */
export const client = () => {
  const controller = new AbortController()
  return { signal: controller.signal, leave: () => controller.abort() }
}

/** Everything that can still be read, as text. */
export const textOf = async (bytes: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
