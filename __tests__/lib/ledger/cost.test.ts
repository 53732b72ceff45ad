import { describe, expect, it } from 'vitest'
import { costUsd } from '#lib/ledger/cost.ts'
import { meter } from '#lib/ledger/meter.ts'
import type { Price } from '#lib/llm/providers/definition.ts'
import { messageFragment } from '#lib/llm/providers/shared/anthropic-reply.ts'
import { completionFragment } from '#lib/llm/providers/shared/openai-reply.ts'
import { type ReportedUsage, usageOf } from '#lib/llm/providers/shared/usage.ts'
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

/** Bills that other gateways got wrong, as their users reported them: prices a million, and the right sum. */
describe('the cost of', () => {
  const openAi = (usage: object) =>
    completionFragment(
      JSON.stringify({ choices: [{ message: { content: 'x' }, finish_reason: 'stop' }], usage }),
      { provider: 'fake' },
    ).usage
  const anthropic = (usage: object) =>
    messageFragment(
      JSON.stringify({ content: [{ type: 'text', text: 'x' }], stop_reason: 'end_turn', usage }),
      'fake',
    ).usage
  const facts = { textBytes: 0, isComplete: true, estimatedInputTokens: () => 1 }

  it.each<[string, ReportedUsage | undefined, Price, number]>([
    [
      'a cache write of 12,304 tokens (litellm#9812)',
      anthropic({ input_tokens: 3, cache_creation_input_tokens: 12_304, output_tokens: 550 }),
      { input: 3, cachedInput: 0.3, cacheWrite: 3.75, output: 15 },
      0.054399,
    ],
    [
      'a prompt almost all cached (litellm#6215)',
      openAi({
        prompt_tokens: 2_006,
        completion_tokens: 300,
        total_tokens: 2_306,
        prompt_tokens_details: { cached_tokens: 1_920 },
      }),
      { input: 2.5, cachedInput: 1.25, output: 10 },
      0.005615,
    ],
    [
      'a prompt that is all written to the cache (litellm#6575)',
      { inputTokens: 1_000, cacheWriteInputTokens: 1_000, outputTokens: 0 },
      { input: 3, cacheWrite: 3.75, output: 15 },
      0.00375,
    ],
    [
      'reasoning that xAI counts beside the completion (sub2api#5771)',
      openAi({
        prompt_tokens: 10_120,
        completion_tokens: 1_499,
        prompt_tokens_details: { cached_tokens: 128 },
        completion_tokens_details: { reasoning_tokens: 2_809 },
      }),
      { input: 1.25, cachedInput: 0.2, output: 2.5 },
      0.0232856,
    ],
    [
      'thoughts that Gemini counts beside the completion (vercel/ai#6082)',
      openAi({ prompt_tokens: 7_477, completion_tokens: 2_060, total_tokens: 11_476 }),
      { input: 1.25, output: 10 },
      0.04933625,
    ],
    [
      'input of which a part was read and a part written (browser-use#5305)',
      openAi({
        prompt_tokens: 2_000,
        completion_tokens: 0,
        prompt_tokens_details: { cached_tokens: 500, cache_write_tokens: 300 },
      }),
      { input: 3, cachedInput: 0.3, cacheWrite: 3.75, output: 0 },
      0.004875,
    ],
  ])('%s is exact', (_, usage, price, usd) => {
    expect(costUsd(usageOf(usage, facts), price)).toBe(usd)
  })

  it('as many tokens as are believed is exact at any price of today', () => {
    const usage = { inputTokens: 100_000_000, outputTokens: 100_000_000 }
    expect(costUsd(usage, { input: 15, output: 75 })).toBe(9_000)
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
