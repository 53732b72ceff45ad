import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { download } from '#lib/http/download.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const setting = async (lines: AsyncIterable<string>) => {
  const clock = new FakeClock()
  const abort = vi.fn()
  const answer = await download(lines, { clock, abort, type: 'text/plain', fileName: 'a.txt' })
  return { clock, abort, ended: answer.ended, reader: (answer.stream as ReadableStream).getReader() }
}

async function* repeated(line: string, count: number, left = () => {}): AsyncGenerator<string> {
  try {
    for (let index = 0; index < count; index += 1) yield line
  } finally {
    left()
  }
}

const read = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array[]> => {
  const chunks: Uint8Array[] = []
  for (let step = await reader.read(); !step.done; step = await reader.read()) chunks.push(step.value)
  return chunks
}

describe('a download', () => {
  it.each([
    ['short lines', 'Grüße 🎉\n', 10_000],
    ['long lines', `${'🎉'.repeat(100_000)}\n`, 3],
    ['no line', '', 0],
  ])('has every character once, in portions that are worth a write: %s', async (_, line, count) => {
    const { reader, ended, abort } = await setting(repeated(line, count))
    const chunks = await read(reader)
    expect(Buffer.concat(chunks).toString()).toBe(line.repeat(count))
    for (const { length } of chunks) expect(length).toBeLessThanOrEqual(16_384)
    for (const { length } of chunks.slice(0, -1)) expect(length).toBeGreaterThan(16_380)
    await ended
    expect(abort).not.toHaveBeenCalled()
  })

  it('disconnects a client that takes nothing for a minute, and reads no more for it', async () => {
    const left = vi.fn()
    const { clock, abort, reader, ended } = await setting(repeated('x'.repeat(20_000), 100, left))
    await reader.read()
    await clock.advance(45_000)
    expect(abort).not.toHaveBeenCalled()
    await clock.advance(30_000)
    expect(abort).toHaveBeenCalledWith(expect.objectContaining({ code: 'CLIENT_GONE' }))
    await expect(reader.read()).rejects.toMatchObject({ code: 'CLIENT_GONE' })
    await ended
    expect(left).toHaveBeenCalledOnce()
    expect(clock.pending).toBe(0)
  })

  it('goes on after a line that is long in coming, and sends nothing meanwhile', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const slow = async function* () {
      yield 'x'.repeat(16_385)
      yield await promise
    }
    const { clock, abort, reader, ended } = await setting(slow())
    const reading = read(reader)
    await clock.advance(600_000)
    resolve('At last')
    expect(Buffer.concat(await reading).toString()).toMatch(/xAt last$/)
    await ended
    expect(abort).not.toHaveBeenCalled()
  })

  it('is aborted where its lines fail, so that it does not look complete', async () => {
    const failing = async function* () {
      yield 'x'.repeat(20_000)
      throw new Error('gone')
    }
    const { abort, reader, ended } = await setting(failing())
    await reader.read()
    await expect(reader.read()).rejects.toThrow('gone')
    await ended
    expect(abort).toHaveBeenCalledOnce()
  })

  it('is an error, and no download, where its lines fail before anything is sent', async () => {
    const failing = async function* () {
      yield 'a line'
      throw new Error('gone')
    }
    await expect(setting(failing())).rejects.toThrow('gone')
  })

  it('leaves its lines when its reader goes', async () => {
    const left = vi.fn()
    const { reader, ended } = await setting(repeated('x'.repeat(20_000), 100, left))
    await reader.read()
    await reader.cancel()
    await ended
    await turn()
    expect(left).toHaveBeenCalledOnce()
  })
})
