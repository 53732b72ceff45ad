import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseEnvironment } from '#lib/config/env.ts'
import { buildProviders } from '#lib/gateway/providers.ts'
import { RateHeadrooms } from '#lib/resilience/defer-background.ts'
import { newCall } from '../../support/calls.ts'
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
    const reply = await provider?.ask(newCall({ ...(background && { background }), plan: [TARGET] }), TARGET)
    await reply?.events[Symbol.asyncIterator]().return?.()
    expect(headrooms.enoughAt(TARGET)).toBe(background ? clock.now() + 60_000 : undefined)
  })
})
