import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigurationError, parseEnvironment } from '#lib/config/env.ts'
import { buildProviders, faultsBeside } from '#lib/gateway/providers.ts'
import { RateHeadrooms } from '#lib/resilience/defer-background.ts'
import { newAttempt, newCall } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { completion, sends } from '../../support/upstream-behaviour.ts'

const TARGET = { provider: 'openai', model: 'gpt-4o-mini', name: 'gpt-4o-mini' }
const LIMITS = {
  'x-ratelimit-limit-requests': '100',
  'x-ratelimit-remaining-requests': '2',
  'x-ratelimit-reset-requests': '60s',
}

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await FakeUpstream.start()
  const body = JSON.stringify(completion(TARGET.model, 'Hello'))
  upstream.usually(sends([body], { type: 'application/json', headers: LIMITS }))
})
afterAll(() => upstream.stop())

describe('the providers of an environment', () => {
  it.each([
    ['the remaining rate limit that a background call sees', true as const],
    ['none from a live call', false as const],
  ])('record %s', async (_, background) => {
    const clock = new FakeClock()
    const headrooms = new RateHeadrooms()
    const env = parseEnvironment({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: upstream.baseUrl })
    const provider = buildProviders(env, clock, headrooms, () => 'chat_1').providers.get('openai')
    const reply = await provider?.ask(
      newCall({ ...(background && { background }), plan: [TARGET] }),
      TARGET,
      newAttempt(),
    )
    await reply?.events[Symbol.asyncIterator]().return?.()
    expect(headrooms.enoughAt(TARGET)).toBe(background ? clock.now() + 60_000 : undefined)
  })
})

describe('the faults of an environment', () => {
  const faultsOf = (set: Record<string, string>): readonly string[] => {
    try {
      parseEnvironment(set, [], faultsBeside)
      return []
    } catch (error) {
      if (error instanceof ConfigurationError) return error.faults
      throw error
    }
  }

  const fileWith = (text: string): string => {
    const path = join(mkdtempSync(join(tmpdir(), 'parley-config-')), 'gateway.yaml')
    writeFileSync(path, text)
    return path
  }

  it('include those of its file and its default model, all at once', () => {
    const wrong = { PORT: 'abc', MAX_RETRIES: 'x' }
    const [port, retries] = [expect.stringContaining('PORT'), expect.stringContaining('MAX_RETRIES')]
    const missing = expect.stringContaining('GATEWAY_CONFIG cannot be read (ENOENT)')
    expect(faultsOf({ ...wrong, GATEWAY_CONFIG: '/nonexistent.yaml' })).toEqual([port, retries, missing])
    expect(faultsOf({ ...wrong, DEFAULT_MODEL: 'nope' })).toEqual([
      port,
      retries,
      expect.stringContaining('DEFAULT_MODEL = “nope”'),
    ])
    const GATEWAY_CONFIG = fileWith('colour: red\nfallbacks: { gpt-4o: [nope] }\n')
    expect(faultsOf({ ...wrong, GATEWAY_CONFIG })).toEqual([
      port,
      retries,
      expect.stringContaining('line 1, colour'),
    ])
    expect(faultsOf({ PORT: 'abc', DEFAULT_MODEL: 'gpt-4o' })).toHaveLength(2)
  })

  it('are none of its file and its default model where these are right', () => {
    const GATEWAY_CONFIG = fileWith(
      'aliases: { mine: { strategy: priority, targets: [{ model: gpt-4o }] } }\n',
    )
    expect(faultsOf({ PORT: 'abc', GATEWAY_CONFIG, DEFAULT_MODEL: 'mine' })).toHaveLength(1)
    expect(faultsOf({ PORT: 'abc', OPENAI_API_KEY: 'sk-test', DEFAULT_MODEL: 'gpt-4o' })).toHaveLength(1)
  })

  it.each([
    ['PUBLIC_URL', 'nonsense'],
    ['OPENAI_BASE_URL', 'ftp://?#'],
    ['REDIS_URL', '%%%?'],
  ])('name a wrong %s once', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([expect.stringContaining(name)])
  })

  it.each([
    ['DEFAULT_MODEL', { DEFAULT_MODEL: 'gpt\u200b-4o' }],
    ['OPENAI_API_KEY', { OPENAI_API_KEY: 'sk-\u200btest', DEFAULT_MODEL: 'gpt-4o' }],
    ['GATEWAY_CONFIG', { GATEWAY_CONFIG: '/gate\u200bway.yaml', DEFAULT_MODEL: 'mine' }],
  ])('name %s alone where it has an invisible character, and nothing that depends on it', (name, set) => {
    expect(faultsOf(set)).toEqual([expect.stringContaining(`${name} = `)])
  })
})
