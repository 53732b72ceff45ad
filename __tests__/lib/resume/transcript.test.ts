import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sseEvent } from '#lib/http/sse.ts'
import { Transcript } from '#lib/resume/transcript.ts'
import { TranscriptReader } from '#lib/resume/transcript-reader.ts'
import { client, textOf } from '../../support/resumable.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')
const nothing = () => {}
const readAll = (transcript: Transcript) =>
  textOf(new TranscriptReader(transcript, 0, new AbortController().signal, nothing))

describe('a transcript', () => {
  it('numbers its frames from one, also where several come at once', async () => {
    const transcript = new Transcript()
    transcript.append('event: a\ndata: 1\n\nevent: b\ndata: 2\n\n')
    transcript.append('data: 3\n\n')
    transcript.end()
    expect(await readAll(transcript)).toBe(
      'id: 1\nevent: a\ndata: 1\n\nid: 2\nevent: b\ndata: 2\n\nid: 3\ndata: 3\n\n',
    )
    expect(transcript.last).toBe(3)
  })

  it('gives what is there at once, then what comes, then the end', async () => {
    const transcript = new Transcript()
    const reader = new TranscriptReader(transcript, 0, new AbortController().signal, nothing)
    transcript.append('data: 1\n\n')
    transcript.append('data: 2\n\n')
    expect(Buffer.from((await reader.next()).value ?? []).toString()).toBe(
      'id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n',
    )
    const waiting = reader.next()
    transcript.append('data: 3\n\n')
    expect(Buffer.from((await waiting).value ?? []).toString()).toBe('id: 3\ndata: 3\n\n')
    const last = reader.next()
    transcript.end()
    expect((await last).done).toBe(true)
  })

  it('lets a reader go while it waits, and tells so once', async () => {
    const { signal, leave } = client()
    let left = 0
    const reader = new TranscriptReader(new Transcript(), 0, signal, () => {
      left += 1
    })
    const waiting = reader.next()
    leave()
    expect((await waiting).done).toBe(true)
    await reader.return()
    expect(left).toBe(1)
  })

  it('gathers nothing in a reader that waits for each of its frames', async () => {
    const transcript = new Transcript()
    const reader = new TranscriptReader(transcript, 0, new AbortController().signal, nothing)
    const waits = async (times: number) => {
      for (let time = 0; time < times; time += 1) {
        const waiting = reader.next()
        await null
        transcript.append('data: 1\n\n')
        await waiting
      }
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = await waits(1_000)
    const grown = (await waits(20_000)) - before
    expect(grown / 20_000).toBeLessThan(100)
    await reader.return()
  })

  it('holds little more than its bytes once it has ended', () => {
    const transcript = new Transcript()
    for (let frame = 0; frame < 1_000; frame += 1) transcript.append(sseEvent('delta', { text: 'word ' }))
    expect(transcript.size).toBeLessThan(2 * transcript.length + 8 * 1_000)
    transcript.end()
    expect(transcript.size).toBe(transcript.length + 8 * 1_000)
  })

  it('gives the same bytes to every reader, however often it was cut off and wherever', async () => {
    const step = fc.oneof(
      fc.record({ say: fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 3 }) }),
      fc.record({ reader: fc.nat(2), cutAfterBytes: fc.nat(200) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const transcript = new Transcript()
        const readers = [new Returning(transcript), new Returning(transcript), new Returning(transcript)]
        for (const one of steps) {
          if ('say' in one) transcript.append(one.say.map(text => sseEvent('delta', { text })).join(''))
          else await readers[one.reader]?.readSome(one.cutAfterBytes)
        }
        transcript.end()
        const whole = await readAll(transcript)
        for (const reader of readers) expect(await reader.readOn()).toBe(whole)
      }),
    )
  })
})

/** A reader that loses its connection anywhere, keeps whole frames only, and comes back with the last one's id. */
class Returning {
  readonly #transcript: Transcript
  #kept = ''

  constructor(transcript: Transcript) {
    this.#transcript = transcript
  }

  /** Reads until that many bytes have come, or nothing more is there, and loses the connection. */
  async readSome(bytes: number): Promise<void> {
    const { signal, leave } = client()
    const reader = this.#connect(signal)
    let received = Buffer.alloc(0)
    while (received.length < bytes) {
      const next = reader.next()
      if (await isPending(next)) break
      received = Buffer.concat([received, (await next).value ?? Buffer.alloc(0)])
    }
    leave()
    this.#keepWhole(received.subarray(0, bytes).toString('utf8'))
  }

  async readOn(): Promise<string> {
    return this.#kept + (await textOf(this.#connect(new AbortController().signal)))
  }

  #connect(signal: AbortSignal): TranscriptReader {
    const lastEventId = Number(
      this.#kept
        .match(/^id: (\d+)$/gm)
        ?.at(-1)
        ?.slice(4) ?? 0,
    )
    return new TranscriptReader(
      this.#transcript,
      this.#transcript.positionAfter(lastEventId),
      signal,
      () => {},
    )
  }

  #keepWhole(text: string): void {
    const end = text.lastIndexOf('\n\n')
    if (end !== -1) this.#kept += text.slice(0, end + 2)
  }
}

const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending')
  const first = await Promise.race([promise, new Promise(resolve => setImmediate(resolve, pending))])
  return first === pending
}
