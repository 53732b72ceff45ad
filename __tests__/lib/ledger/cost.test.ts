import { describe, expect, it } from 'vitest'
import { costUsd } from '#lib/ledger/cost.ts'
import { meter } from '#lib/ledger/meter.ts'
import { batches, newCall, replyOf } from '../../support/calls.ts'

describe('costUsd', () => {
  it.each([
    [{ inputTokens: 1_000_000, outputTokens: 0 }, 0.15],
    [{ inputTokens: 0, outputTokens: 1_000_000 }, 0.6],
    [{ inputTokens: 1, outputTokens: 0 }, 0.00000015],
    [{ inputTokens: 3, outputTokens: 7 }, 0.00000465],
    [{ inputTokens: 1_000, outputTokens: 0, cachedInputTokens: 600 }, 0.000105],
    [{ inputTokens: 10, outputTokens: 0, cachedInputTokens: 99 }, 0.00000075],
  ])('prices %o exactly', (usage, expected) => {
    expect(costUsd(usage, { input: 0.15, output: 0.6, cachedInput: 0.075 })).toBe(expected)
  })
})

describe('the cost of what a provider’s own cache did', () => {
  const price = { input: 3, output: 15, cachedInput: 0.3, cacheWrite: 3.75 }
  it.each([
    // 100 plain, 1,800 read, 248 written, 12 out.
    [{ inputTokens: 2_148, cachedInputTokens: 1_800, cacheWriteInputTokens: 248, outputTokens: 12 }, 0.00195],
    [{ inputTokens: 1, cacheWriteInputTokens: 1, outputTokens: 0 }, 0.00000375],
    [{ inputTokens: 10, cachedInputTokens: 8, cacheWriteInputTokens: 99, outputTokens: 0 }, 0.0000099],
  ])('is exact: %o', (usage, expected) => {
    expect(costUsd(usage, price)).toBe(expected)
  })

  it('is that of plain input where no other price is known', () => {
    const usage = { inputTokens: 1_000, cacheWriteInputTokens: 600, outputTokens: 0 }
    expect(costUsd(usage, { input: 2, output: 8 })).toBe(0.002)
  })
})

describe('meter', () => {
  const ask = async () => replyOf(batches())

  it('adds the cost to the usage', async () => {
    const reply = await meter({ priceOf: () => ({ input: 1, output: 2 }) })(newCall(), ask)
    expect(await reply.usage).toEqual({ inputTokens: 1, outputTokens: 2, costUsd: 0.000005 })
  })

  it('leaves the cost unknown where the price is', async () => {
    const reply = await meter({ priceOf: () => undefined })(newCall(), ask)
    expect(await reply.usage).not.toHaveProperty('costUsd')
  })
})
