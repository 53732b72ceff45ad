import { describe, expect, it } from 'vitest'
import { compose } from '#lib/compose.ts'
import { ask } from '#lib/llm/ask.ts'
import type { Endpoint } from '#lib/llm/passthrough.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { stability } from '#lib/llm/providers/stability.ts'
import type { Call } from '#lib/llm/types.ts'
import { keyTokens } from '#lib/rate-limit/key-limits.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { newCall, TARGET } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { providerDeps } from '../../support/provider-deps.ts'

const requestTo = (endpoint: Endpoint): Call['passthrough'] => ({
  endpoint,
  body: { kind: 'json', members: [['input', '"Hi"']] },
  namesModel: true,
  inputs: 1,
})

describe('a call of a provider that lacks its endpoint', () => {
  it.each<[string, ProviderDefinition, string, Call['passthrough']]>([
    ['embeddings', anthropic, 'http://upstream/v1', requestTo('embeddings')],
    ['moderations', anthropic, 'http://upstream/v1', requestTo('moderations')],
    ['embeddings', stability, 'https://api.stability.ai/v2beta', requestTo('embeddings')],
    ['edits of images', stability, 'https://api.stability.ai/v2beta', requestTo('images/edits')],
    ['chat', stability, 'https://api.stability.ai/v2beta', undefined],
  ])(
    'is refused without an attempt, and costs no tokens: %s at %o',
    async (_, definition, baseUrl, passthrough) => {
      const clock = new FakeClock()
      const counter = slidingWindow()
      const ended: unknown[] = []
      const failed: unknown[] = []
      const post = () => Promise.reject(new Error('No upstream is asked.'))
      const limits = { tokensPerMinute: 500 }
      const call = newCall({
        caller: { kind: 'key', id: 'one', name: 'one', role: 'member', limits, address: '192.0.2.1' },
        plan: [TARGET],
        passthrough,
      })
      const handler = compose(keyTokens({ counter, clock, estimate: () => 100 }))(
        ask({
          providers: new Map([[TARGET.provider, definition.create(providerDeps({ baseUrl, post }))]]),
          clock,
          listener: { succeeded: () => {}, failed: (...one) => failed.push(one) },
          priced: usage => usage,
          drain: {
            isOn: () => false,
            mostMs: 0,
            open: () => ({ signal: new AbortController().signal, close: () => {} }),
            clock,
          },
          onAttemptEnd: (...one) => ended.push(one),
        }),
      )
      await expect(handler(call)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringMatching(/has no endpoint \/v1\//),
      })
      expect([call.journal.attempts, call.attempts.made, ended, failed]).toEqual([[], [], [], []])
      const window = { key: 'tokens:key:one', limit: 500, windowMs: 60_000 }
      expect((await counter.take([window], 0, clock.now()))[0]?.remaining).toBe(500)
    },
  )
})
