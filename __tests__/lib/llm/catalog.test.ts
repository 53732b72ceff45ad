import { describe, expect, it } from 'vitest'
import { allListings } from '#lib/gateway/providers.ts'
import { Catalog, type ProviderListing } from '#lib/llm/catalog.ts'
import { PRICES_AS_OF } from '#lib/llm/providers/definition.ts'
import { openai } from '#lib/llm/providers/openai.ts'

const price = { input: 1, output: 2 }
const listing = (
  provider: string,
  available: boolean,
  more: Partial<ProviderListing> = {},
): ProviderListing => ({
  provider,
  available,
  models: [{ id: `${provider}-mini`, contextTokens: 8_000, usdPerMillion: price }],
  setupHint: `set ${provider}`,
  ...more,
})
const catalog = new Catalog([
  listing('acme', true, { modelNames: /^acme-/ }),
  listing('other', false, { modelNames: /^(?:acme|other)-/ }),
])

describe('the catalog', () => {
  it.each([
    ['acme-mini', 'acme-mini'],
    ['acme-mini-2024-07-18', 'acme/acme-mini-2024-07-18'],
    ['acme-3.5-turbo-0125', 'acme/acme-3.5-turbo-0125'],
    ['acme/anything', 'acme/anything'],
    ['other-9', 'other/other-9'],
    ['unheard-of', 'unheard-of'],
  ])('asks a vendor that is set up for %s as %s', (name, expected) => {
    expect(catalog.nameByVendor(name)).toBe(expected)
  })

  it.each([
    'gpt-9-preview',
    'o3-mini',
    'ft:gpt-4o-mini-2024-07-18:acme::abc',
    'ft:o4-mini-2025-04-16:acme::abc',
  ])('takes %s for a name of OpenAI', name => {
    const { modelNames = /^\b$/ } = openai
    expect(new Catalog([listing('openai', true, { modelNames })]).nameByVendor(name)).toBe(`openai/${name}`)
  })

  it.each(['acme-mini-2024-07-18', 'acme-mini-0125'])('prices the snapshot %s as its model', model => {
    const target = catalog.resolve(`acme/${model}`)
    expect(catalog.priceOf(target)).toEqual({ ...price, version: PRICES_AS_OF })
    expect(catalog.contextTokensOf(target)).toBe(8_000)
  })

  it.each(['constructor', '__proto__', 'toString'])('has no fallbacks of a model named %s', model => {
    const own = new Catalog([listing('acme', true, { fallbacks: { 'acme-maxi': ['acme-mini'] } })])
    expect(own.plan(`acme/${model}`)).toHaveLength(1)
    expect(own.plan('acme/acme-maxi')).toHaveLength(2)
  })

  it.each(['acme-mini-latest', 'acme-mini-2024', 'acme-mini-9999', 'acme-maxi-2024-07-18', 'acme-mini-1'])(
    'knows no price of %s',
    model => {
      expect(catalog.priceOf(catalog.resolve(`acme/${model}`))).toBeUndefined()
    },
  )

  it('prices all models of a provider that has one price, as those of the mock: they cost nothing', () => {
    const free = { input: 0, output: 0 }
    const priced = new Catalog([listing('acme', true, { models: [], usdPerMillion: free })], 'acme/mini', {
      models: [{ id: 'maxi', provider: 'acme', usdPerMillion: price }],
    })
    expect(priced.priceOf(priced.resolve('acme/anything'))).toEqual(free)
    expect(priced.priceOf(priced.resolve('maxi'))).toMatchObject(price)
    const mock = new Catalog(allListings())
    expect(mock.priceOf(mock.resolve('mock/echo'))).toMatchObject(free)
  })
})
