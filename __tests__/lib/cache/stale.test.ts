import { describe, expect, it } from 'vitest'
import { type ErrorCode, GatewayError } from '#lib/errors.ts'
import type { Call, ReplyEvent } from '#lib/llm/types.ts'
import { cacheSetting, FINISH, SHORT_ANSWER, TTL_MS } from '../../support/cache-setting.ts'
import { collect, text } from '../../support/calls.ts'

const WINDOW_MS = 60_000
const NEW_ANSWER = [...text('new'), FINISH]

describe('an answer past its time, while a new one is fetched', () => {
  const setting = async () => {
    const found = cacheSetting({ settings: { staleWhileRevalidateSeconds: WINDOW_MS / 1000 } })
    await found.answered()
    return found
  }

  it('is given at once, and says so with its age', async () => {
    const { clock, ask } = await setting()
    const storedAt = clock.now()
    await clock.advance(TTL_MS + 1)
    const reply = await ask()
    expect(reply.head).toMatchObject({
      cache: 'stale',
      storedAt,
      cacheTrace: { freshUntil: storedAt + TTL_MS, detail: 'revalidating' },
    })
    expect(reply.head.cacheTrace).not.toHaveProperty('forwarded')
    expect(await collect(reply)).toEqual(SHORT_ANSWER)
  })

  it('is asked for anew exactly once, however many ask', async () => {
    const { clock, ask, answer, answered, calls, counts } = await setting()
    await clock.advance(TTL_MS + 1)
    const replies = await Promise.all(Array.from({ length: 100 }, () => ask()))
    expect(new Set(replies.map(({ head }) => head.cache))).toEqual(new Set(['stale']))
    expect(calls).toHaveLength(2)
    answer(...NEW_ANSWER)
    await clock.advance(0)
    expect(await answered()).toEqual({ cache: 'hit', events: NEW_ANSWER })
    expect(calls).toHaveLength(2)
    expect(counts).toMatchObject({ refreshes: 1, failedRefreshes: 0, stale: 100, hits: 1, misses: 1 })
  })

  it('is fetched although the caller that caused it has left', async () => {
    const { clock, ask, answer, answered, calls } = await setting()
    await clock.advance(TTL_MS + 1)
    const client = new AbortController()
    await ask({ signal: client.signal })
    client.abort(new GatewayError('CLIENT_GONE'))
    await clock.advance(0)
    expect(calls[1]?.call.signal.aborted).toBe(false)
    answer(...NEW_ANSWER)
    await clock.advance(0)
    expect(await answered()).toEqual({ cache: 'hit', events: NEW_ANSWER })
  })

  it('is not fetched again for five seconds where that failed', async () => {
    const { clock, ask, calls, counts, failWith } = await setting()
    await clock.advance(TTL_MS + 1)
    failWith(new GatewayError('NETWORK'))
    await ask()
    await clock.advance(4_999)
    expect((await ask()).head.cache).toBe('stale')
    expect(calls).toHaveLength(2)
    await clock.advance(2)
    expect((await ask()).head.cache).toBe('stale')
    expect(calls).toHaveLength(3)
    await clock.advance(0)
    expect(counts).toMatchObject({ refreshes: 2, failedRefreshes: 2 })
  })

  it('is given to the last moment of its window and not after it', async () => {
    const { clock, ask, answered, failWith } = await setting()
    failWith(new GatewayError('NETWORK'))
    await clock.advance(TTL_MS + WINDOW_MS)
    expect((await ask()).head.cache).toBe('stale')
    failWith(undefined)
    await clock.advance(1)
    expect(await answered({}, NEW_ANSWER)).toEqual({ cache: 'miss', events: NEW_ANSWER })
  })
})

describe('an answer past its time, when the provider fails', () => {
  const setting = async (settings = { staleIfErrorSeconds: WINDOW_MS / 1000 }) => {
    const found = cacheSetting({ settings })
    await found.answered()
    return found
  }

  it.each<ErrorCode>(['PROVIDER_ERROR', 'NETWORK', 'PROVIDER_RATE_LIMIT', 'TIMEOUT', 'MODEL_UNAVAILABLE'])(
    'stands in for %s, and says so',
    async code => {
      const { clock, ask, calls, failWith } = await setting()
      const storedAt = clock.now()
      await clock.advance(TTL_MS + 1)
      failWith(new GatewayError(code))
      const reply = await ask()
      expect(reply.head).toMatchObject({
        cache: 'stale',
        storedAt,
        cacheTrace: { forwarded: 'stale', freshUntil: storedAt + TTL_MS, detail: code },
      })
      expect(await collect(reply)).toEqual(SHORT_ANSWER)
      expect(calls).toHaveLength(2)
    },
  )

  it.each<ErrorCode>([
    'INVALID_INPUT',
    'CONTEXT_LENGTH',
    'CONTENT_BLOCKED',
    'NOT_FOUND',
    'QUOTA_EXCEEDED',
    'INTERNAL_ERROR',
  ])('does not stand in for %s, which is not the provider’s failure', async code => {
    const { clock, ask, failWith } = await setting()
    await clock.advance(TTL_MS + 1)
    failWith(new GatewayError(code))
    await expect(ask()).rejects.toMatchObject({ code })
  })

  it('does not stand in for a fault of ours', async () => {
    const { clock, ask, failWith } = await setting()
    await clock.advance(TTL_MS + 1)
    failWith(new TypeError('a bug'))
    await expect(ask()).rejects.toThrow('a bug')
  })

  it('stands in to the last moment of its window and not after it', async () => {
    const { clock, ask, failWith } = await setting()
    failWith(new GatewayError('NETWORK'))
    await clock.advance(TTL_MS + WINDOW_MS)
    expect((await ask()).head.cache).toBe('stale')
    await clock.advance(1)
    await expect(ask()).rejects.toMatchObject({ code: 'NETWORK' })
  })

  it('does not stand in where no window is set', async () => {
    const { clock, ask, failWith } = await setting({ staleIfErrorSeconds: 0 })
    await clock.advance(TTL_MS + 1)
    failWith(new GatewayError('NETWORK'))
    await expect(ask()).rejects.toMatchObject({ code: 'NETWORK' })
  })

  it('is replaced by a new answer as soon as the provider has one', async () => {
    const { clock, ask, answered, failWith } = await setting()
    await clock.advance(TTL_MS + 1)
    failWith(new GatewayError('NETWORK'))
    await ask()
    failWith(undefined)
    expect(await answered({}, NEW_ANSWER)).toEqual({ cache: 'miss', events: NEW_ANSWER })
    expect(await answered()).toEqual({ cache: 'hit', events: NEW_ANSWER })
  })

  it('stands in for all who asked at the same moment', async () => {
    const { clock, ask, calls, failWith } = await setting()
    await clock.advance(TTL_MS + 1)
    failWith(new GatewayError('NETWORK'))
    const replies = await Promise.all(Array.from({ length: 20 }, () => ask()))
    expect(new Set(replies.map(({ head }) => head.cache))).toEqual(new Set(['stale']))
    expect(calls).toHaveLength(2)
  })

  it.each<Partial<Call>>([{ cache: 'refresh' }, { cache: 'no-store' }])(
    'is not served to a call that refuses stored answers: %o',
    async changes => {
      const { clock, ask, failWith } = await setting()
      await clock.advance(TTL_MS + 1)
      failWith(new GatewayError('NETWORK'))
      await expect(ask(changes)).rejects.toMatchObject({ code: 'NETWORK' })
    },
  )

  it('does not stand in for a stream that fails after its first words', async () => {
    const { clock, ask, answer } = await setting()
    await clock.advance(TTL_MS + 1)
    const reply = await ask({ stream: true })
    answer(...text('one '), { type: 'error', error: new GatewayError('NETWORK') })
    expect(reply.head.cache).toBe('miss')
    expect((await collect(reply)).at(-1)).toMatchObject({ type: 'error', error: { code: 'NETWORK' } })
  })
})

describe('an answer that must not be served after a time of its own', () => {
  it('is served until then, and neither later nor in place of a failure', async () => {
    const windows = { staleWhileRevalidateSeconds: 3_600, staleIfErrorSeconds: 3_600 }
    const { clock, answered, ask, failWith, calls } = cacheSetting({ settings: windows })
    const tool: ReplyEvent = { type: 'tool', id: 'a', name: 'weather', state: 'done', result: { data: 7 } }
    const answer = [tool, ...text('new'), { ...FINISH, freshUntil: clock.now() + 1_000 }] as const
    await answered({}, answer)
    await clock.advance(999)
    expect(await answered()).toEqual({ cache: 'hit', events: answer })
    await clock.advance(1)
    failWith(new GatewayError('NETWORK'))
    await expect(ask()).rejects.toMatchObject({ code: 'NETWORK' })
    expect(calls).toHaveLength(2)
  })
})
