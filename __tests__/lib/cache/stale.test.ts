import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import type { Call } from '#lib/llm/types.ts'
import { newJournal } from '#lib/visit.ts'
import { ANSWER, cacheSetting, FINISH, SHORT_ANSWER, TTL_MS } from '../../support/cache-setting.ts'
import { collect, text } from '../../support/calls.ts'

const MINUTE_MS = 60_000
/** After fetching in vain. */
const REST_MS = 5_000
const NEWER = [...text('newer'), FINISH]

/** Lets what goes on behind an answer come to its end. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}

describe('an answer past its time, while a new one is fetched', () => {
  const setting = () => cacheSetting({ settings: { staleWhileRevalidateSeconds: 60 } })

  it('is given at once, and only one is fetched however many ask', async () => {
    const { answered, ask, clock, calls, counts } = setting()
    await answered()
    await clock.advance(TTL_MS + 1)
    const replies = await Promise.all(Array.from({ length: 50 }, () => ask()))
    for (const { head } of replies)
      expect(head).toMatchObject({
        cache: 'stale',
        cacheTrace: { detail: 'revalidating' },
        storedAt: expect.any(Number),
      })
    expect(await collect(replies[0] as Awaited<ReturnType<typeof ask>>)).toEqual(SHORT_ANSWER)
    await settled()
    expect(calls).toHaveLength(2)
    calls.at(-1)?.answer(...NEWER)
    await settled()
    expect(await answered()).toEqual({ cache: 'hit', events: NEWER })
    expect(counts).toMatchObject({ stale: 50, refreshes: 1, misses: 1, hits: 1 })
  })

  it('costs the visitor nothing; the fetching is a visit of its own with its own price', async () => {
    const { answered, ask, clock, calls, refreshed } = setting()
    await answered()
    await clock.advance(TTL_MS + 1)
    const gone = new AbortController()
    await collect(await ask({ signal: gone.signal }))
    gone.abort(new GatewayError('CLIENT_GONE'))
    await settled()
    calls.at(-1)?.answer(...NEWER)
    await settled()
    expect(refreshed).toHaveLength(1)
    expect(refreshed[0]?.error).toBeUndefined()
    expect(refreshed[0]?.visit.requestId).toMatch(/:refresh$/)
    expect((await answered()).events).toEqual(NEWER)
  })

  it('is given again when the fetching fails, which is tried anew a while later', async () => {
    const { answered, clock, failWith, counts, refreshed } = setting()
    await answered()
    await clock.advance(TTL_MS + 1)
    failWith(new GatewayError('PROVIDER_ERROR'))
    expect((await answered()).cache).toBe('stale')
    await settled()
    expect((await answered()).cache).toBe('stale')
    await settled()
    expect(refreshed).toHaveLength(1)
    await clock.advance(REST_MS + 1)
    expect((await answered()).cache).toBe('stale')
    await settled()
    expect(refreshed.map(({ error }) => error?.code)).toEqual(['PROVIDER_ERROR', 'PROVIDER_ERROR'])
    expect(counts.failedRefreshes).toBe(2)
  })

  it('is not given once that time is over too', async () => {
    const { answered, clock } = setting()
    await answered()
    await clock.advance(TTL_MS + MINUTE_MS + 1)
    expect((await answered()).cache).toBe('miss')
  })
})

describe('an answer past its time, where the provider fails', () => {
  const setting = () => cacheSetting({ settings: { staleIfErrorSeconds: 60 } })

  it.each(['PROVIDER_ERROR', 'NETWORK', 'TIMEOUT', 'PROVIDER_RATE_LIMIT', 'MODEL_UNAVAILABLE'] as const)(
    'stands in for %s, and says so',
    async code => {
      const { answered, ask, clock, failWith } = setting()
      await answered()
      await clock.advance(TTL_MS + 1)
      failWith(new GatewayError(code))
      const reply = await ask()
      expect(reply.head).toMatchObject({ cache: 'stale', cacheTrace: { forwarded: 'stale', detail: code } })
      expect(await collect(reply)).toEqual(SHORT_ANSWER)
    },
  )

  it.each(['INVALID_INPUT', 'CONTEXT_LENGTH', 'CONTENT_BLOCKED', 'INTERNAL_ERROR'] as const)(
    'does not stand in for %s',
    async code => {
      const { answered, ask, clock, failWith } = setting()
      await answered()
      await clock.advance(TTL_MS + 1)
      failWith(new GatewayError(code))
      await expect(ask()).rejects.toMatchObject({ code })
    },
  )

  it('is asked for anew first, and replaced when the provider is well', async () => {
    const { answered, clock } = setting()
    await answered()
    await clock.advance(TTL_MS + 1)
    expect(await answered({}, NEWER)).toEqual({ cache: 'miss', events: NEWER })
    expect(await answered()).toEqual({ cache: 'hit', events: NEWER })
  })

  it('is of no use once it is too old', async () => {
    const { answered, ask, clock, failWith } = setting()
    await answered()
    await clock.advance(TTL_MS + MINUTE_MS + 1)
    failWith(new GatewayError('PROVIDER_ERROR'))
    await expect(ask()).rejects.toMatchObject({ code: 'PROVIDER_ERROR' })
  })

  it('is not given to whoever has gone', async () => {
    const { answered, ask, clock, failWith } = setting()
    await answered()
    await clock.advance(TTL_MS + 1)
    failWith(new GatewayError('NETWORK'))
    const gone = AbortSignal.abort(new GatewayError('CLIENT_GONE'))
    await expect(ask({ signal: gone })).rejects.toMatchObject({ code: 'CLIENT_GONE' })
  })
})

describe('the time a store takes', () => {
  it('is written down for Server-Timing', async () => {
    const plain = cacheSetting()
    const slow = {
      ...plain.store,
      get: async (key: string) => {
        await plain.clock.advance(40)
        return plain.store.get(key)
      },
    }
    const { answered } = cacheSetting({ store: slow, clock: plain.clock })
    await answered()
    const journal = newJournal()
    const changes: Partial<Call> = { journal }
    expect((await answered(changes)).events).not.toEqual(ANSWER)
    expect(journal.waits?.cache).toBeGreaterThanOrEqual(40)
  })
})
