import { describe, expect, it, vi } from 'vitest'
import { eventStream, sseEvent } from '#lib/http/sse.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const decoder = new TextDecoder()

describe('eventStream', () => {
  it('asks for no more than is read', async () => {
    let made = 0
    const frames = (async function* () {
      for (;;) yield `frame ${++made}`
    })()
    const { stream } = eventStream(frames, { clock: new FakeClock(), abort: () => {} })
    const reader = stream.getReader()
    expect(decoder.decode((await reader.read()).value)).toBe('frame 1')
    await new Promise(setImmediate)
    expect(made).toBe(1)
    await reader.cancel()
  })

  it('fills every 15 s of silence with a comment', async () => {
    const clock = new FakeClock()
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
    const reader = eventStream(never, { clock, abort: () => {} }).stream.getReader()
    for (let ping = 0; ping < 3; ping += 1) {
      const read = reader.read()
      await clock.advance(15_000)
      expect(decoder.decode((await read).value)).toBe(': ping\n\n')
    }
  })

  it('begins with a comment where that is asked for, whatever may be long in coming', async () => {
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
    const options = { clock: new FakeClock(), abort: () => {}, startWithPing: true }
    const reader = eventStream(never, options).stream.getReader()
    expect(decoder.decode((await reader.read()).value)).toBe(': ping\n\n')
  })

  it('disconnects a client that reads nothing for a minute', async () => {
    const clock = new FakeClock()
    const abort = vi.fn()
    const left = vi.fn()
    const frames = (async function* () {
      try {
        for (;;) yield 'x'
      } finally {
        left()
      }
    })()
    const { stream, ended } = eventStream(frames, { clock, abort })
    await stream.getReader().read()
    await clock.advance(45_000)
    expect(abort).not.toHaveBeenCalled()
    await clock.advance(30_000)
    expect(abort).toHaveBeenCalledWith(expect.objectContaining({ code: 'CLIENT_GONE' }))
    await ended
    expect(left).toHaveBeenCalled()
    expect(clock.pending).toBe(0)
  })

  it('ends, and tells so, when its frames end, fail, or are left', async () => {
    const clock = new FakeClock()
    const failing = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('bug')) }) }
    const empty = (async function* (): AsyncGenerator<string> {})()
    const complete = eventStream(empty, { clock, abort: () => {} })
    expect((await complete.stream.getReader().read()).done).toBe(true)
    await complete.ended
    const failed = eventStream(failing, { clock, abort: () => {} })
    await expect(failed.stream.getReader().read()).rejects.toThrow('bug')
    await failed.ended
    const abort = vi.fn()
    const cancelled = eventStream(empty, { clock, abort })
    await cancelled.stream.cancel()
    await cancelled.ended
    expect(abort).toHaveBeenCalledOnce()
    expect(clock.pending).toBe(0)
  })

  it('closes the source of its frames also for a client that has left before it reads any', async () => {
    const closed = vi.fn()
    const source: AsyncIterableIterator<string> = {
      [Symbol.asyncIterator]: () => source,
      next: async () => ({ done: false, value: 'frame' }),
      return: async () => {
        closed()
        return { done: true, value: undefined }
      },
    }
    const frames = (async function* () {
      yield* source
    })()
    const { stream, ended } = eventStream(frames, { clock: new FakeClock(), abort: () => {} })
    await stream.cancel()
    await ended
    expect(closed).toHaveBeenCalledOnce()
  })
})

describe('sseEvent', () => {
  it('keeps any text on one data line', () => {
    expect(sseEvent('delta', { text: 'a\n\nb\r\n' })).toBe(
      'event: delta\ndata: {"text":"a\\n\\nb\\r\\n"}\n\n',
    )
  })
})
