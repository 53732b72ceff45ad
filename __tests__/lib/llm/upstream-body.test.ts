import type { Dispatcher } from 'undici'
import { describe, expect, it } from 'vitest'
import { UpstreamBody } from '#lib/llm/providers/shared/upstream-body.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const MOST_BYTES_AHEAD = 64 * 1024

/** A body whose socket says what was asked of it. */
const opened = (onResume = () => {}) => {
  const asked: unknown[] = []
  const controller = {
    pause: () => void asked.push('pause'),
    resume: () => {
      asked.push('resume')
      onResume()
    },
    abort: (reason: Error) => void asked.push(reason.message),
  }
  return { body: new UpstreamBody(controller as unknown as Dispatcher.DispatchController), asked }
}

const textOf = async (step: Promise<IteratorResult<Uint8Array>>): Promise<string | undefined> => {
  const { done, value } = await step
  return done ? undefined : Buffer.from(value).toString()
}

describe('the body of an upstream’s response', () => {
  it('gives a waiting reader all that arrives in one turn of the socket, in order', async () => {
    const { body } = opened()
    const first = body.next()
    for (const text of ['a', 'b', 'c']) body.push(bytes(text))
    expect(await textOf(first)).toBe('abc')
  })

  it('gives what has arrived before it is read, and then its end', async () => {
    const { body } = opened()
    body.push(bytes('a'))
    body.push(bytes('b'))
    body.complete()
    expect(await textOf(body.next())).toBe('ab')
    expect((await body.next()).done).toBe(true)
  })

  it('gives the end to a reader that waits for more', async () => {
    const { body } = opened()
    const step = body.next()
    body.complete()
    expect((await step).done).toBe(true)
  })

  it('pauses a socket that is far ahead of its reader, and lets it go on once that has read', async () => {
    const { body, asked } = opened()
    body.push(new Uint8Array(MOST_BYTES_AHEAD - 1))
    expect(asked).toEqual([])
    body.push(new Uint8Array(1))
    expect(asked).toEqual(['pause'])
    expect((await body.next()).value).toHaveLength(MOST_BYTES_AHEAD)
    expect(asked).toEqual(['pause', 'resume'])
  })

  it('keeps in order what the socket gives as soon as it may go on', async () => {
    const { body } = opened(() => body.push(bytes('b')))
    body.push(bytes('a'))
    expect(await textOf(body.next())).toBe('a')
    expect(await textOf(body.next())).toBe('b')
  })

  it('gives what came before a failure, and then the failure', async () => {
    const { body } = opened()
    const broken = new Error('other side closed')
    body.push(bytes('a'))
    body.fail(broken)
    expect(await textOf(body.next())).toBe('a')
    await expect(body.next()).rejects.toBe(broken)
    expect(body.errored).toBe(broken)
  })

  it('rejects a waiting reader with the failure', async () => {
    const { body } = opened()
    const step = body.next()
    const broken = new Error('other side closed')
    body.fail(broken)
    await expect(step).rejects.toBe(broken)
  })

  it('discards what is unread when it is destroyed, and closes the connection once', async () => {
    const { body, asked } = opened()
    body.push(bytes('a'))
    body.destroy()
    body.push(bytes('b'))
    body.fail(new Error('aborted'))
    expect(asked).toEqual(['the body was closed'])
    await expect(body.next()).rejects.toThrow('the body was closed')
    expect(body.errored).toBeUndefined()
  })

  it('keeps the connection of a body that has arrived whole', () => {
    const { body, asked } = opened()
    body.push(bytes('a'))
    body.complete()
    body.destroy()
    expect(asked).toEqual([])
  })

  it('rejects a reader whose bytes are discarded before they reach it', async () => {
    const { body } = opened()
    const step = body.next()
    body.push(bytes('a'))
    body.complete()
    body.destroy()
    await expect(step).rejects.toThrow('the body was closed')
  })

  it('gives the reason of an abort to its reader, and as its error', async () => {
    const { body, asked } = opened()
    const step = body.next()
    const reason = new Error('too late')
    body.abort(reason)
    await expect(step).rejects.toBe(reason)
    await expect(body.next()).rejects.toBe(reason)
    expect([body.errored, ...asked]).toEqual([reason, 'too late'])
  })

  it('is closed by a loop that is left', async () => {
    const { body, asked } = opened()
    body.push(bytes('a'))
    for await (const chunk of body) {
      expect(chunk).toHaveLength(1)
      break
    }
    expect(asked).toContain('the body was closed')
  })
})
