import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROVIDERS } from '#lib/llm/providers/registry.ts'
import { postOver } from '#lib/llm/providers/shared/upstream.ts'
import { upstreamAgent } from '#lib/llm/providers/shared/upstream-agent.ts'
import { newAttempt, newCall } from '../../support/calls.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { refuses } from '../../support/upstream-behaviour.ts'

/** Each vendor's own path, and the endpoint that the gateway asks below it. */
const OWN_PATHS: Readonly<Record<string, string>> = {
  anthropic: '/v1/messages',
  gemini: '/v1beta/openai/chat/completions',
  groq: '/openai/v1/chat/completions',
  'github-models': '/inference/chat/completions',
  openrouter: '/api/v1/chat/completions',
  'azure-openai': '/openai/v1/chat/completions',
}
const ownPathOf = (id: string): string => OWN_PATHS[id] ?? '/v1/chat/completions'

describe('a base URL', () => {
  let upstream: FakeUpstream
  beforeAll(async () => {
    upstream = (await FakeUpstream.start()).usually(refuses(404))
  })
  afterAll(() => upstream.stop())

  const askedAt = async (id: string, path: string) => {
    const definition = PROVIDERS.find(one => one.id === id)
    const provider = definition?.create(
      providerDeps({
        baseUrl: `${new URL(upstream.baseUrl).origin}${path}`,
        post: postOver(upstreamAgent()),
      }),
    )
    await provider?.ask(newCall(), { provider: id, model: 'm', name: 'm' }, newAttempt()).catch(() => {})
    return upstream.calls.at(-1)
  }

  describe.each(PROVIDERS.map(({ id }) => id))('of %s (number 11)', id => {
    const whole = ownPathOf(id)
    const base = whole.replace(/\/(chat\/completions|messages)$/, '')

    it.each([
      ['without a path', ''],
      ['with a slash alone', '/'],
      ['with the vendor’s path', base],
      ['with the vendor’s path and slashes', `${base}//`],
      ['with the first part of the vendor’s path', base.slice(0, base.lastIndexOf('/'))],
      ['with the endpoint pasted too', whole],
      ['with the endpoint and a slash', `${whole}/`],
      ['with another endpoint pasted', `${base}/models`],
    ])('may be written %s', async (_, path) => {
      expect((await askedAt(id, path))?.path).toBe(whole)
    })
  })

  it.each([
    ['openai', '/relay/v1', '/relay/v1/chat/completions'],
    ['openai-compatible', '/api/paas/v4/', '/api/paas/v4/chat/completions'],
    ['openai-compatible', '/chat/completions', '/chat/completions'],
    ['openai', '/v1?tenant=7', '/v1/chat/completions?tenant=7'],
    ['anthropic', '/anthropic', '/anthropic/v1/messages'],
    ['anthropic', '/anthropic/v1/', '/anthropic/v1/messages'],
    ['anthropic', '/messages', '/messages'],
  ])('of a relay for %s is taken as it is: %s', async (id, path, expected) => {
    expect((await askedAt(id, path))?.path).toBe(expected)
  })

  it.each([
    ['/openai/v1?api-version=preview', '/openai/v1/chat/completions?api-version=preview'],
    ['/openai/deployments/mine', '/openai/deployments/mine/chat/completions?api-version=2024-10-21'],
    [
      '/openai/deployments/mine/chat/completions?api-version=2025-01-01-preview',
      '/openai/deployments/mine/chat/completions?api-version=2025-01-01-preview',
    ],
  ])('of Azure may be any of its own (number 11): %s', async (path, expected) => {
    const call = await askedAt('azure-openai', path)
    expect(call?.path).toBe(expected)
    const isDeployment = path.includes('deployments')
    expect(call?.headers['api-key']).toBe(isDeployment ? 'sk-test' : undefined)
    expect(call?.headers.authorization).toBe(isDeployment ? undefined : 'Bearer sk-test')
  })
})
