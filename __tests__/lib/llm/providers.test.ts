import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { PROVIDERS } from '#lib/llm/providers/registry.ts'
import { postOver } from '#lib/llm/providers/shared/upstream.ts'
import { upstreamAgent } from '#lib/llm/providers/shared/upstream-agent.ts'
import type { Call } from '#lib/llm/types.ts'
import { collect, newAttempt, newCall, text } from '../../support/calls.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { type Behaviour, hangs, refuses, says, sends } from '../../support/upstream-behaviour.ts'

/** How the vendors that do not speak OpenAI's protocol say the same. */
const OWN_WORDS: Record<string, Behaviour> = {
  anthropic: (response, asked, signal) => {
    const usage = { input_tokens: 4, cache_read_input_tokens: 3, cache_creation_input_tokens: 0 }
    if (!asked.stream) {
      const content = [{ type: 'text', text: 'Hello there' }]
      const message = { content, stop_reason: 'end_turn', usage: { ...usage, output_tokens: 5 } }
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ type: 'message', role: 'assistant', ...message }))
    }
    const delta = (piece: string) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: piece },
    })
    const said = [
      { type: 'message_start', message: { id: 'msg_1', content: [], usage: { ...usage, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      delta('Hello'),
      delta(' there'),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ]
    const frames = said.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    return sends(frames)(response, asked, signal)
  },
}

const made = (definition: ProviderDefinition, upstream: FakeUpstream) =>
  definition.create(
    providerDeps({
      apiKey: 'sk-provider-test',
      baseUrl: upstream.baseUrl,
      post: postOver(upstreamAgent()),
    }),
  )

describe.each(PROVIDERS.map(definition => [definition.id, definition] as const))(
  'the provider %s',
  (id, definition) => {
    let upstream: FakeUpstream
    beforeAll(async () => {
      upstream = await FakeUpstream.start()
      upstream.usually(OWN_WORDS[id] ?? says(['Hello', ' there']))
    })
    afterAll(() => upstream.stop())

    const ask = (changes: Partial<Call> = {}, model = 'model') =>
      made(definition, upstream).ask(
        newCall(changes),
        { provider: id, model, name: `${id}/${model}` },
        newAttempt(),
      )

    it.each([false, true])('gives text, an end and its usage (stream: %s)', async stream => {
      const reply = await ask({ stream })
      const found = await collect(reply)
      const said = found.flatMap(event => (event.type === 'text-delta' ? event.text : [])).join('')
      expect(said).toBe('Hello there')
      expect(found.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
      const usage = await reply.usage
      expect(usage).toMatchObject({ inputTokens: 7, outputTokens: 5 })
      expect(usage.estimated).toBeUndefined()
    })

    it('shows its key in a header and nowhere else', async () => {
      await ask({}, 'keyed')
      const [call] = upstream.callsFor('keyed')
      expect(Object.values(call?.headers ?? {}).join('\n')).toContain('sk-provider-test')
      expect(`${call?.path}${call?.body}`).not.toContain('sk-provider-test')
    })

    it.each<[number, string, string | undefined]>([
      [400, 'INVALID_INPUT', undefined],
      [401, 'PROVIDER_ERROR', undefined],
      [404, 'NOT_FOUND', undefined],
      [429, 'PROVIDER_RATE_LIMIT', '3'],
      [500, 'PROVIDER_ERROR', undefined],
      [529, 'PROVIDER_ERROR', undefined],
    ])('takes %i for %s', async (status, code, retryAfter) => {
      const headers = retryAfter ? { 'retry-after': retryAfter } : {}
      upstream.forModel(`refusing-${status}`, refuses(status, { headers }))
      await expect(ask({}, `refusing-${status}`)).rejects.toMatchObject({
        code,
        retryAfterSeconds: retryAfter ? Number(retryAfter) : undefined,
      })
    })

    it('leaves its upstream when the signal says so', async () => {
      upstream.forModel('silent', hangs)
      const controller = new AbortController()
      const asked = ask({ signal: controller.signal }, 'silent').catch(error => error)
      await expect.poll(() => upstream.callsFor('silent')).toHaveLength(1)
      controller.abort(new Error('enough'))
      await asked
      await expect.poll(() => upstream.callsFor('silent')[0]?.abandonedAt).toBeDefined()
    })

    it('aborts an answer in an encoding it cannot read, however much of it is still to come', async () => {
      const encoded = sends(['x'], { headers: { 'content-encoding': 'zstd' }, ending: 'stall' })
      upstream.forModel('encoded', encoded)
      await expect(ask({}, 'encoded')).rejects.toMatchObject({ code: 'PROVIDER_ERROR', retryable: false })
      await expect.poll(() => upstream.callsFor('encoded')[0]?.abandonedAt).toBeDefined()
    })

    it('takes a stream that stops without its end for a failure', async () => {
      upstream.forModel('cut', sends([': nothing\n\n']))
      await expect(ask({ stream: true }, 'cut')).rejects.toMatchObject({ code: 'PROVIDER_ERROR' })
    })
  },
)

describe('the provider anthropic', () => {
  const anthropic = PROVIDERS.find(({ id }) => id === 'anthropic') as ProviderDefinition
  const target = { provider: 'anthropic', model: 'm', name: 'anthropic/m' }

  it('gets what the system says apart from the conversation, and no temperature it would refuse', async () => {
    const upstream = (await FakeUpstream.start()).usually(OWN_WORDS.anthropic as Behaviour)
    const messages = [
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: 'Hello' },
    ]
    const reply = await made(anthropic, upstream).ask(
      newCall({ messages, temperature: 1.5 }),
      target,
      newAttempt(),
    )
    expect(await collect(reply)).toEqual([
      ...text('Hello there'),
      expect.objectContaining({ raw: 'end_turn' }),
    ])
    expect(JSON.parse(upstream.calls[0]?.body ?? '')).toEqual({
      model: 'm',
      max_tokens: 1_000,
      system: 'Be brief.',
      messages: [{ role: 'user', content: 'Hello' }],
      temperature: 1,
    })
    expect(upstream.calls[0]).toMatchObject({
      path: '/v1/messages',
      headers: { 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-provider-test' },
    })
    expect(await reply.usage).toEqual({ inputTokens: 7, outputTokens: 5, cachedInputTokens: 3 })
    await upstream.stop()
  })

  it('tells a conversation that is too long from other faults', async () => {
    const error = { type: 'invalid_request_error', message: 'prompt is too long: 210000 tokens > 200000' }
    const upstream = (await FakeUpstream.start()).usually(refuses(400, { body: JSON.stringify({ error }) }))
    await expect(made(anthropic, upstream).ask(newCall(), target, newAttempt())).rejects.toMatchObject({
      code: 'CONTEXT_LENGTH',
    })
    await upstream.stop()
  })
})
