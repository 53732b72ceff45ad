import { describe, expect, it } from 'vitest'
import { costOfTokens, highestTokenPrice } from '#lib/ledger/pricing.ts'
import { Catalog } from '#lib/llm/catalog.ts'
import { PRICES_AS_OF } from '#lib/llm/providers/definition.ts'
import { PROVIDERS } from '#lib/llm/providers/registry.ts'
import type { Usage } from '#lib/llm/types.ts'

const catalog = new Catalog(
  PROVIDERS.map(({ id, models, modelNames }) => ({
    provider: id,
    available: true,
    models,
    setupHint: '',
    ...(modelNames && { modelNames }),
  })),
)
const priceOf = (name: string) => {
  const price = catalog.priceOf(catalog.resolve(name))
  if (!price) throw new Error(`${name} has no price`)
  return price
}
const usd = (model: string, usage: Partial<Usage>, at = 0): number =>
  costOfTokens({ inputTokens: 0, outputTokens: 0, ...usage }, priceOf(model), at).picoUsd / 1e12

describe('the price table', () => {
  it('has each model of a provider once, with a version', () => {
    for (const { id, models } of PROVIDERS) {
      const ids = models.map(model => model.id)
      expect(new Set(ids).size, id).toBe(ids.length)
    }
    expect(priceOf('gpt-5.6-sol').version).toBe(PRICES_AS_OF)
  })

  it.each([
    'gpt-6-sol',
    'gpt-5.6-terra-2026-07-09',
    'gpt-5.4-mini-2026-03-17',
    'gpt-4o-2024-08-06',
    'claude-opus-5-5',
    'anthropic/claude-sonnet-4-5-20250929',
    'anthropic/claude-haiku-4-5-20251001',
    'gemini-3.7-flash',
    'mistral-large-2512',
    'groq/openai/gpt-oss-120b',
  ])('has a price of %s', name => {
    const known = catalog.find(name) ? name : catalog.nameByVendor(name)
    expect(priceOf(known).input).toBeGreaterThan(0)
  })

  it('has no price below 0, and none of an output cheaper than its input', () => {
    for (const { models } of PROVIDERS)
      for (const { id, kind, usdPerMillion: price } of models) {
        if (!price || kind) continue
        expect(price.input, id).toBeGreaterThanOrEqual(0)
        expect(price.output, id).toBeGreaterThanOrEqual(price.input)
        expect(price.cachedInput ?? 0, id).toBeLessThanOrEqual(price.input)
        expect(price.cacheWrite ?? price.input, id).toBeGreaterThanOrEqual(price.input)
      }
  })

  it('prices the whole of a request with more than 272,000 tokens of input higher', () => {
    expect(usd('gpt-5.5', { inputTokens: 300_000, outputTokens: 1_000 })).toBe(3.045)
    expect(usd('gpt-5.5', { inputTokens: 272_000, outputTokens: 1_000 })).toBe(1.39)
    expect(usd('gpt-5.6-luna', { inputTokens: 300_000, cacheWriteInputTokens: 300_000 })).toBe(0.15)
  })

  it('prices Anthropic’s cache at a tenth, 1.25 and twice the input', () => {
    const all = {
      inputTokens: 3e6,
      cachedInputTokens: 1e6,
      cacheWriteInputTokens: 2e6,
      cacheWrite1hInputTokens: 1e6,
    }
    expect(usd('claude-opus-5', all)).toBe(0.5 + 6.25 + 10)
    expect(usd('claude-opus-5-5', { inputTokens: 1e6, cachedInputTokens: 1e6 })).toBe(0.2)
  })

  it('keeps the higher price of the first snapshot of gpt-4o', () => {
    expect(usd('gpt-4o-2024-05-13', { inputTokens: 1e6 })).toBe(5)
  })

  it('ends an introductory price with its last day, and reserves by the price of the day', () => {
    const [before, after] = [Date.parse('2026-12-31T23:59:59.999Z'), Date.parse('2027-01-01')]
    const usage = { inputTokens: 1e6, outputTokens: 1e6 }
    expect(usd('gemini-3.7-flash', usage, before)).toBe(4.5)
    expect(usd('gemini-3.7-flash', usage, after)).toBe(9)
    expect(usd('gemini-3.7-flash', { ...usage, serviceTier: 'flex' }, after)).toBe(4.5)
    const query = { inputTokens: 10, serviceTier: undefined, writesForAnHour: () => false }
    const reserved = (at: number) =>
      highestTokenPrice(priceOf('gemini-3.7-flash'), { ...query, at }).outputPicoUsd
    expect([reserved(before), reserved(after)]).toEqual([3_750_000, 7_500_000])
  })
})
