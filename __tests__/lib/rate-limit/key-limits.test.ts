import { describe, expect, it } from 'vitest'
import type { Usage } from '#lib/llm/types.ts'
import { keyTokens } from '#lib/rate-limit/key-limits.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { batches, newCall, replyOf, TARGET } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const LIMIT = 1_000
const MINUTE_MS = 60_000

describe('the tokens a minute of a key', () => {
  const clock = new FakeClock()
  const counter = slidingWindow()
  const policy = keyTokens({ counter, clock, estimate: () => 100 })
  const callOf = (id: string) =>
    newCall({
      caller: {
        kind: 'key',
        id,
        name: id,
        role: 'member',
        limits: { tokensPerMinute: LIMIT },
        address: '192.0.2.1',
      },
      maxOutputTokens: 500,
    })
  const remaining = async (id: string) => {
    const bucket = { key: `tokens:key:${id}`, limit: LIMIT, windowMs: MINUTE_MS }
    return (await counter.take([bucket], 0, clock.now()))[0]?.remaining
  }
  /** Begins a call, which ends with its usage when the returned function is called. */
  const begin = async (id: string) => {
    const call = callOf(id)
    const usage = Promise.withResolvers<Usage>()
    await policy(call, async () => {
      call.attempts.begin({ target: TARGET, startedAt: clock.now() })
      return { ...replyOf(batches()), usage: usage.promise }
    })
    return async () => {
      usage.resolve({ inputTokens: 100, outputTokens: 0 })
      await clock.advance(0)
    }
  }

  it('are given back as far as they were not used', async () => {
    const end = await begin('short')
    expect(await remaining('short')).toBe(400)
    await end()
    expect(await remaining('short')).toBe(900)
  })

  it('of other calls are not given back by a stream that is longer than the window', async () => {
    const endLong = await begin('long')
    await clock.advance(MINUTE_MS)
    await begin('long')
    expect(await remaining('long')).toBe(400)
    await endLong()
    expect(await remaining('long')).toBe(400)
  })
})
