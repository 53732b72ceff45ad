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
