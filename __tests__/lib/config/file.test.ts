import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseEnvironment } from '#lib/config/env.ts'
import { faultLine, parseConfigFile } from '#lib/config/file.ts'
import { configJsonSchema } from '#lib/config/file-schema.ts'
import { settingsOf } from '#lib/config/settings.ts'

const faults = (text: string): readonly string[] => {
  const parsed = parseConfigFile(text)
  return parsed.ok ? [] : parsed.faults.map(faultLine)
}

describe('a configuration file', () => {
  it('may be YAML or JSON, and may be empty', () => {
    expect(parseConfigFile('limits: { rest: 7/1m }')).toMatchObject({
      ok: true,
      config: { limits: { rest: { limit: 7, windowMs: 60_000 } } },
    })
    expect(parseConfigFile('{\n\t"cache": { "enabled": false }\n}')).toMatchObject({
      config: { cache: { enabled: false } },
    })
    expect(parseConfigFile('')).toMatchObject({ ok: true, config: {} })
  })

  it('with unknown settings is refused with their paths and lines, all at once', () => {
    expect(faults('limits:\n  rest: 7/1m\n  chats: 1\ncolour: red\n')).toEqual([
      'line 3, limits.chats: is not a setting',
      'line 4, colour: is not a setting',
    ])
  })

  it.each([
    ['a negative price', '{ input: -1, output: 1 }'],
    ['a missing output', '{ input: 1 }'],
    ['a price that is no number', '{ input: .nan, output: 1 }'],
    ['an unknown class', '{ input: 1, output: 1, cached: 1 }'],
    [
      'thresholds out of order',
      '{ input: 1, output: 1, longContext: [{ aboveInputTokens: 9, input: 1, output: 1 }, { aboveInputTokens: 9, input: 2, output: 2 }] }',
    ],
    [
      'a time that does not exist',
      '{ input: 1, output: 1, hours: [{ from: "24:00", to: "01:00", prices: 0.5 }] }',
    ],
    ['a tier without prices', '{ input: 1, output: 1, tiers: { flex: {} } }'],
  ])('with %s in its price table is refused as a whole', (_, price) => {
    const valid = '{ id: b, provider: openai, usdPerMillion: { input: 1, output: 1 } }'
    const text = `models:\n  - ${valid}\n  - { id: a, provider: openai, usdPerMillion: ${price} }\n`
    expect(parseConfigFile(text).ok).toBe(false)
    expect(faults(text)[0]).toMatch(/^line 3, models\[1\]\.usdPerMillion/)
  })

  it('with values out of range is refused where they stand', () => {
    const text = 'models:\n  - id: a\n    provider: openai\n    contextTokens: -1\nlimits:\n  rest: often\n'
    expect(faults(text)).toEqual([
      expect.stringMatching(/^line 4, models\[0\]\.contextTokens: /),
      expect.stringMatching(/^line 6, limits\.rest: must look like 5\/1m/),
    ])
  })

  it('with values of another type or name is refused in plain words', () => {
    const text = [
      'models: [{ id: house }]',
      'aliases: { fast: { strategy: often, targets: [{ model: house }] } }',
      'cache: { ttlSeconds: soon }',
      'guardrails: { injection: { flagFrom: high }, judges: [{ type: oracle }] }',
      'resilience: { maxConcurrency: 0.5, hedging: { share: 7 } }',
    ]
    expect(faults(text.join('\n'))).toEqual([
      'line 1, models[0].provider: is required',
      'line 2, aliases.fast.strategy: must be one of priority, weighted, cheapest, fastest, least-busy',
      'line 3, cache.ttlSeconds: must be a number, is string',
      'line 4, guardrails.injection.flagFrom: must be a number, is string',
      'line 4, guardrails.judges[0].type: must be one of openai-moderation, llama-guard, presidio, webhook',
      'line 5, resilience.maxConcurrency: must be a whole number',
      'line 5, resilience.hedging.share: must be at most 1',
    ])
    const prices = '{ input: 1, output: 1, tiers: { flex: half } }'
    expect(faults(`models: [{ id: house, provider: vllm, usdPerMillion: ${prices} }]`)).toEqual([
      'line 1, models[0].usdPerMillion.tiers.flex: must be a number or an object, is string',
    ])
  })

  it('with a cache label that could never be invalidated is refused', () => {
    const rule = (tag: string) => `cache:\n  rules:\n    - model: a\n      tags: ["${tag}"]\n`
    expect(faults(rule('team:a'))).toEqual([])
    expect(faults(rule('team a'))).toEqual([
      expect.stringMatching(/^line 4, cache\.rules\[0\]\.tags\[0\]: must be 1 to 64 letters/),
    ])
  })

  it('that cannot be read is refused with the line, without quoting it', () => {
    const found = faults('cache:\n  enabled: "sk-secret\n')
    expect(found[0]).toMatch(/^line \d+, \(file\): cannot be read: /)
    expect(found.join()).not.toContain('sk-secret')
    expect(faults('a: *nothing')[0]).toMatch(/cannot be read/)
    expect(faults('[1, 2]')[0]).toMatch(/^line 1, \(file\): /)
  })

  it('that says a thing twice is refused', () => {
    expect(faults('cache: {}\ncache: {}\n')).toEqual(['line 2, (file): cannot be read: duplicate key'])
  })

  it('does not pollute prototypes', () => {
    faults('{"__proto__": {"polluted": 1}}')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('settings', () => {
  it('are those of the file where it says something, else those of the environment', () => {
    const env = parseEnvironment({ MAX_RETRIES: '1', CACHE_TTL_SECONDS: '30', BREAKER_OPEN_MS: '500' })
    const parsed = parseConfigFile('cache: { enabled: false }\nresilience: { breaker: { failures: 9 } }')
    if (!parsed.ok) throw new Error('should be fine')
    expect(settingsOf(env, parsed.config)).toMatchObject({
      caching: { enabled: false, file: { enabled: false }, defaults: { enabled: true, ttlSeconds: 30 } },
      breaker: { failures: 9, openMs: 500 },
      mostRetries: 1,
    })
  })
})

describe('the JSON Schema for editors', () => {
  it('is up to date; npm run config:schema makes it so', () => {
    const path = join(import.meta.dirname, '../../../gateway-config.schema.json')
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(configJsonSchema()))
  })
})
