import { describe, expect, it } from 'vitest'
import { meter, pricedUsage } from '#lib/ledger/meter.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import type { Price, ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { gemini } from '#lib/llm/providers/gemini.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { openrouter } from '#lib/llm/providers/openrouter.ts'
import type { Usage } from '#lib/llm/types.ts'
import { usdOf } from '#lib/money.ts'
import { batches, newCall, replyOf, TARGET } from '../../support/calls.ts'
import { pricesWith } from '../../support/prices.ts'
import { outcomeOfBody } from '../../support/reply-outcome.ts'

const usageThrough = async (definition: ProviderDefinition, body: string, stream = false): Promise<Usage> => {
  const outcome = await outcomeOfBody(definition, Buffer.from(body), { stream })
  if (outcome instanceof Error) throw outcome
  return outcome.usage
}

const completion = (usage: object, changes: object = {}): string =>
  JSON.stringify({
    choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }],
    usage,
    ...changes,
  })
const message = (usage: object): string =>
  JSON.stringify({ content: [{ type: 'text', text: 'x' }], stop_reason: 'end_turn', usage })

const openAi = (usage: object, changes?: object): [ProviderDefinition, string] => [
  openai,
  completion(usage, changes),
]
const claude = (usage: object): [ProviderDefinition, string] => [anthropic, message(usage)]

const pricedAs = (price: Price, usage: Usage): Usage =>
  pricedUsage(usage, TARGET, pricesWith({ priceOf: () => price }), 0)

const usdFor = (price: Price, usage: Usage): number | undefined => {
  const { costPicoUsd } = pricedAs(price, usage)
  return costPicoUsd === undefined ? undefined : usdOf(costPicoUsd)
}

const CLAUDE: Price = { input: 3, cachedInput: 0.3, cacheWrite: 3.75, output: 15 }
const LONG_PROMPT: Price = {
  input: 2,
  output: 12,
  longContext: [{ aboveInputTokens: 200_000, input: 4, output: 18 }],
}

/** Bills that other gateways got wrong, as their users reported them: prices a million, and the right sum. */
describe('the bill of', () => {
  it.each<[string, [ProviderDefinition, string], Price, number]>([
    [
      '1: a cache write of 12,304 tokens (litellm#9812) is 0.054399',
      claude({ input_tokens: 3, cache_creation_input_tokens: 12_304, output_tokens: 550 }),
      CLAUDE,
      0.054399,
    ],
    [
      '2: 262,960 tokens of which 257,955 are cached, above 200k (litellm#14849) is 0.199894375',
      [
        gemini,
        completion({
          prompt_tokens: 262_960,
          completion_tokens: 1_744,
          total_tokens: 264_704,
          prompt_tokens_details: { cached_tokens: 257_955 },
        }),
      ],
      {
        input: 1.25,
        cachedInput: 0.3125,
        output: 10,
        longContext: [{ aboveInputTokens: 200_000, input: 2.5, cachedInput: 0.625, output: 15 }],
      },
      0.199894375,
    ],
    [
      '3: a prompt almost all cached (litellm#6215) is 0.005615',
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
      '4: a prompt that is all written to the cache (litellm#6575) is 0.00375',
      claude({ input_tokens: 0, cache_creation_input_tokens: 1_000, output_tokens: 0 }),
      { ...CLAUDE, output: 0 },
      0.00375,
    ],
    [
      '5: reasoning that xAI counts beside the completion (sub2api#5771) is 0.0232856',
      openAi({
        prompt_tokens: 10_120,
        completion_tokens: 1_499,
        total_tokens: 14_428,
        prompt_tokens_details: { cached_tokens: 128 },
        completion_tokens_details: { reasoning_tokens: 2_809 },
      }),
      { input: 1.25, cachedInput: 0.2, output: 2.5 },
      0.0232856,
    ],
    [
      '6: thoughts that Gemini counts beside the candidates (vercel/ai#6082) is 0.04933625',
      [gemini, completion({ prompt_tokens: 7_477, completion_tokens: 2_060, total_tokens: 11_476 })],
      { input: 1.25, output: 10 },
      0.04933625,
    ],
    [
      '7: 300,000 tokens above 272k (claude-code-hub#869) is 3.045',
      openAi({ prompt_tokens: 300_000, completion_tokens: 1_000 }),
      { input: 5, output: 30, longContext: [{ aboveInputTokens: 272_000, input: 10, output: 45 }] },
      3.045,
    ],
    [
      '8: 250,000 tokens above 200k (hermes#93678) is 1.00',
      openAi({ prompt_tokens: 250_000, completion_tokens: 0 }),
      { ...LONG_PROMPT, longContext: [{ aboveInputTokens: 200_000, input: 4, output: 0 }], output: 0 },
      1,
    ],
    [
      '10: 2,000 tokens of which 500 are read and 300 written (browser-use#5305) is 0.004875',
      openAi({
        prompt_tokens: 2_000,
        completion_tokens: 0,
        prompt_tokens_details: { cached_tokens: 500, cache_write_tokens: 300 },
      }),
      { ...CLAUDE, output: 0 },
      0.004875,
    ],
    [
      '11: 300 tokens written for 5 minutes and 200 for an hour (Anthropic) is 0.002325',
      claude({
        input_tokens: 0,
        cache_creation_input_tokens: 500,
        cache_creation: { ephemeral_5m_input_tokens: 300, ephemeral_1h_input_tokens: 200 },
        output_tokens: 0,
      }),
      { ...CLAUDE, output: 0, cacheWrite1h: 6 },
      0.002325,
    ],
  ])('case %s', async (_, [definition, body], price, usd) => {
    // One byte of text is a token where the vendor says that there were none.
    const usage = await usageThrough(definition, body)
    expect(usdFor(price, usage)).toBe(usd)
  })

  it('case 8: exactly 200,000 tokens stay at the low price, and one more raises it', async () => {
    const usdOfPrompt = async (tokens: number) =>
      usdFor(LONG_PROMPT, await usageThrough(...openAi({ prompt_tokens: tokens, completion_tokens: 1 })))
    expect(await usdOfPrompt(200_000)).toBe(0.400012)
    expect(await usdOfPrompt(200_001)).toBe(0.800022)
  })

  it('case 9: o3 flex of 1M + 1M (genai-prices) is 5.00; a request for priority served as default costs the default', async () => {
    const million = { prompt_tokens: 1_000_000, completion_tokens: 1_000_000 }
    const o3 = openai.models.find(({ id }) => id === 'o3')?.usdPerMillion as Price
    const billed = async (tier: string | undefined) =>
      usdFor(o3, await usageThrough(...openAi(million, { service_tier: tier })))
    expect(await billed('flex')).toBe(5)
    expect(await billed('default')).toBe(10)
    expect(await billed(undefined)).toBe(10)
    expect(await billed('priority')).toBe(17.5)
  })

  it('case 9: a tier that the table does not have is billed at the usual price, as an estimate', async () => {
    const usage = await usageThrough(
      ...openAi({ prompt_tokens: 1_000_000, completion_tokens: 1 }, { service_tier: 'turbo' }),
    )
    expect(pricedAs({ input: 1, output: 0 }, usage)).toMatchObject({ costPicoUsd: 1e12, estimated: true })
  })

  it('case 12: a message that says 1 token at its start and is cut (litellm#39893) is that of its text, estimated', async () => {
    const start = {
      type: 'message_start',
      message: { content: [], usage: { input_tokens: 10, output_tokens: 1 } },
    }
    const delta = {
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: 'a'.repeat(400) },
    }
    const body = [start, delta].map(one => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('')
    const usage = await usageThrough(anthropic, body, true)
    expect(usage).toMatchObject({ inputTokens: 10, outputTokens: 100, estimated: true })
    expect(usdFor(CLAUDE, usage)).toBe(0.00153)
  })

  it('case 13: an answer without text and with a usage of 0 (litellm#37992) is 0; 0 beside text is estimated', async () => {
    const nothing = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
    const empty = JSON.stringify({
      choices: [{ index: 0, message: { content: '' }, finish_reason: 'length' }],
      usage: nothing,
    })
    const left = await usageThrough(openai, empty)
    expect(pricedAs(CLAUDE, left)).toMatchObject({ costPicoUsd: 0 })
    expect(left).not.toHaveProperty('estimated')
    const told = await usageThrough(...openAi(nothing))
    expect(told).toMatchObject({ estimated: true })
    expect(usdFor(CLAUDE, told)).toBeGreaterThan(0)
  })

  it('case 15: OpenRouter’s own figure (litellm#27588) takes precedence, and both are kept', async () => {
    const usage = await usageThrough(
      openrouter,
      completion({ prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100, cost: 0.00123 }),
    )
    expect(pricedAs({ input: 1, output: 1 }, usage)).toMatchObject({
      costPicoUsd: 1_230_000_000,
      reportedPicoUsd: 1_230_000_000,
      computedPicoUsd: 1_100_000_000,
    })
    const unpriced = pricedUsage(usage, TARGET, pricesWith(), 0)
    expect(unpriced.costPicoUsd).toBe(1_230_000_000)
  })

  it('more than the whole cached is clamped and flagged', async () => {
    const usage = await usageThrough(
      ...openAi({
        prompt_tokens: 100,
        completion_tokens: 1,
        prompt_tokens_details: { cached_tokens: 900 },
      }),
    )
    expect(usage).toMatchObject({ inputTokens: 100, cachedInputTokens: 100, estimated: true })
    expect(usdFor({ input: 10, cachedInput: 1, output: 0 }, usage)).toBe(0.0001)
  })

  it('audio in and out of a chat is at the prices of audio', async () => {
    const usage = await usageThrough(
      ...openAi({
        prompt_tokens: 1_000,
        completion_tokens: 500,
        prompt_tokens_details: { audio_tokens: 400, cached_tokens: 0 },
        completion_tokens_details: { audio_tokens: 300, reasoning_tokens: 0 },
      }),
    )
    expect(usdFor({ input: 2.5, audioInput: 40, output: 10, audioOutput: 80 }, usage)).toBe(0.0435)
  })
})

describe('the price of a moment', () => {
  const night: Price = {
    input: 2,
    output: 2,
    hours: [{ from: '16:30', to: '00:30', prices: 0.5 }],
  }
  const usage: Usage = { inputTokens: 1_000_000, outputTokens: 0 }
  it.each([
    ['16:29', 2],
    ['16:30', 1],
    ['23:59', 1],
    ['00:29', 1],
    ['00:30', 2],
  ])('is that of its window in UTC: at %s %d dollars', (time, usd) => {
    const at = Date.parse(`2026-11-27T${time}:00Z`)
    const prices = pricesWith({ priceOf: () => night })
    expect(pricedUsage(usage, TARGET, prices, at).costPicoUsd).toBe(usd * 1e12)
  })
})

describe('a model without a price', () => {
  it('costs an unknown amount, never 0, and is reported', async () => {
    const unpriced: string[] = []
    const prices = pricesWith({ onUnpriced: ({ name }) => unpriced.push(name) })
    const reply = await meter(prices)(newCall(), async () => replyOf(batches()))
    expect(await reply.usage).not.toHaveProperty('costPicoUsd')
    expect(unpriced).toEqual(['fake/model'])
  })
})

describe('a repeated answer', () => {
  it('costs 0 and tells what it saved', async () => {
    const prices = pricesWith({ priceOf: () => ({ input: 1, output: 2 }) })
    const reply = await meter(prices)(newCall(), async () => {
      const { head, ...others } = replyOf(batches())
      return { ...others, head: { ...head, cache: 'hit' } }
    })
    expect(await reply.usage).toMatchObject({ costPicoUsd: 0, savedPicoUsd: 5_000_000 })
  })
})
