import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { meter, pricedUsage } from '#lib/ledger/meter.ts'
import { costOfTokens } from '#lib/ledger/pricing.ts'
import type { Price } from '#lib/llm/providers/definition.ts'
import { callPricesOf } from '#lib/llm/providers/prices/hosted-calls.ts'
import type { Target, Usage } from '#lib/llm/types.ts'
import { picoUsdOf, usdOf } from '#lib/money.ts'
import { batches, newCall, replyOf } from '../../support/calls.ts'
import { pricesWith } from '../../support/prices.ts'

const costPicoUsd = (usage: Usage, price: Price): number => costOfTokens(usage, price, 0).picoUsd
const costUsd = (usage: Usage, price: Price): number => usdOf(costPicoUsd(usage, price))

describe('the cost of an answer, in US dollars', () => {
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

describe('the cost of', () => {
  it('as many tokens as are believed is exact at any price of today', () => {
    const usage = { inputTokens: 100_000_000, outputTokens: 100_000_000 }
    expect(costUsd(usage, { input: 15, output: 75 })).toBe(9_000)
  })
})

describe('the cost of speech without a report', () => {
  const TTS = { provider: 'openai', model: 'gpt-4o-mini-tts', name: 'gpt-4o-mini-tts' }
  const tokens = { inputTokens: 250, outputTokens: 1_500 }
  const spoken: Usage = {
    inputTokens: 0,
    outputTokens: 0,
    billed: { unit: 'character', count: 1_000, tokens },
  }
  const unpriced = pricesWith()

  it('is an estimate by tokens where the model is billed by tokens', () => {
    const prices = { ...unpriced, priceOf: () => ({ input: 0.6, output: 12 }) }
    const usage = pricedUsage(spoken, TTS, prices, 0)
    expect(usage).toEqual({ ...tokens, estimated: true, costPicoUsd: picoUsdOf(0.01815) })
    expect(pricedUsage(usage, TTS, prices, 0)).toEqual(usage)
  })

  it('is by its characters where the model is billed by them, and unknown without a price', () => {
    const prices = { ...unpriced, unitPriceOf: () => ({ unit: 'character', usdPerMillion: 15 }) as const }
    expect(pricedUsage(spoken, TTS, prices, 0)).toEqual({ ...spoken, costPicoUsd: picoUsdOf(0.015) })
    expect(pricedUsage(spoken, TTS, unpriced, 0)).toEqual(spoken)
  })
})

describe('the cost of tools that the vendor ran', () => {
  const TARGET = { provider: 'anthropic', model: 'claude-sonnet-4-5', name: 'claude-sonnet-4-5' }
  const prices = pricesWith({
    priceOf: () => ({ input: 3, output: 15 }),
    callPricesOf: ({ provider }: Target) => callPricesOf(provider),
  })
  const searching = (hostedCalls: Record<string, number>): Usage => ({
    inputTokens: 150_000,
    outputTokens: 1_000,
    hostedCalls,
  })
  const costOf = (usage: Usage, target = TARGET) => pricedUsage(usage, target, prices, 0).costPicoUsd

  it('is added for each call, also where it is nothing', () => {
    expect(costOf(searching({ web_search: 10, web_fetch: 3 }))).toBe(picoUsdOf(0.465 + 0.1))
    expect(costOf(searching({ file_search: 4 }), { ...TARGET, provider: 'openai' })).toBe(
      picoUsdOf(0.465 + 0.01),
    )
  })

  it('makes the whole unknown where such a tool has no known price', () => {
    const onUnpriced = vi.fn()
    const usage = searching({ web_search: 1, image_generation: 1 })
    expect(pricedUsage(usage, TARGET, { ...prices, onUnpriced }, 0)).toEqual(usage)
    expect(onUnpriced).toHaveBeenCalledExactlyOnceWith(TARGET)
  })

  it('is in what the vendor itself reports as the cost', () => {
    expect(costOf({ ...searching({ anything: 1 }), reportedPicoUsd: 7_000 })).toBe(7_000)
  })

  it.each([
    [19_087_500, 19_088_000],
    [19_087_499, 19_087_000],
    [499, 0],
  ])('is charged to the nanodollar, as the ledger has it: %i picodollars as %i', (picoUsd, charged) => {
    expect(costOf({ ...searching({}), reportedPicoUsd: picoUsd })).toBe(charged)
  })
})

describe('sums of many small costs', () => {
  const price = { input: 0.075, output: 0.3, cachedInput: 0.0375 }

  it('are exact: a million answers of one token at 0.0375 dollars a million cost 0.0375 dollars', () => {
    const usage = { inputTokens: 1, outputTokens: 0, cachedInputTokens: 1 }
    const one = costPicoUsd(usage, price)
    let sum = 0
    let sumOfDollars = 0
    for (let answer = 0; answer < 1_000_000; answer += 1) {
      sum += one
      sumOfDollars += usdOf(one)
    }
    expect(usdOf(sum)).toBe(0.0375)
    expect(sumOfDollars).not.toBe(0.0375)
  })

  it('are whole, and those of all their tokens together, in any order', () => {
    const tokens = fc.record({ inputTokens: fc.nat(200_000), outputTokens: fc.nat(20_000) })
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 200 }), answers => {
        const costs = answers.map(usage => costPicoUsd(usage, price))
        expect(costs.every(Number.isSafeInteger)).toBe(true)
        const total = answers.reduce(
          (sum, { inputTokens, outputTokens }) => ({
            inputTokens: sum.inputTokens + inputTokens,
            outputTokens: sum.outputTokens + outputTokens,
          }),
          { inputTokens: 0, outputTokens: 0 },
        )
        const add = (sum: number, cost: number) => sum + cost
        expect(costs.reduce(add, 0)).toBe(costPicoUsd(total, price))
        expect(costs.toReversed().reduce(add, 0)).toBe(costPicoUsd(total, price))
      }),
    )
  })

  it('come back from dollars as they were, up to 1,000 dollars an answer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e15 }), pico => {
        expect(picoUsdOf(usdOf(pico))).toBe(pico)
      }),
    )
  })
})

describe('meter', () => {
  const ask = async () => replyOf(batches())

  it('adds the cost to the usage', async () => {
    const reply = await meter(pricesWith({ priceOf: () => ({ input: 1, output: 2 }) }))(newCall(), ask)
    expect(await reply.usage).toEqual({ inputTokens: 1, outputTokens: 2, costPicoUsd: 5_000_000 })
  })

  it('leaves the cost unknown where the price is', async () => {
    const reply = await meter(pricesWith())(newCall(), ask)
    expect(await reply.usage).not.toHaveProperty('costPicoUsd')
  })
})
