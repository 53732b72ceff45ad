import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { githubModels } from '#lib/llm/providers/github-models.ts'
import { mistral } from '#lib/llm/providers/mistral.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { postOver } from '#lib/llm/providers/shared/upstream.ts'
import { upstreamAgent } from '#lib/llm/providers/shared/upstream-agent.ts'
import type { Call, Message, WireFormat } from '#lib/llm/types.ts'
import { newAttempt, newCall } from '../../support/calls.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { rawJson } from '../../support/raw-json.ts'
import { refuses, says, sends } from '../../support/upstream-behaviour.ts'

const message = { content: [{ type: 'text', text: 'Hello' }], stop_reason: 'end_turn' }

describe('what a model cannot honour', () => {
  let upstream: FakeUpstream
  beforeAll(async () => {
    upstream = (await FakeUpstream.start()).usually((response, asked, signal) =>
      asked.model.startsWith('claude')
        ? sends([JSON.stringify(message)], { type: 'application/json' })(response, asked, signal)
        : says(['Hello'])(response, asked, signal),
    )
  })
  afterAll(() => upstream.stop())

  const ask = async (definition: ProviderDefinition, model: string, changes: Partial<Call>) => {
    const provider = definition.create(
      providerDeps({
        baseUrl: upstream.baseUrl,
        post: postOver(upstreamAgent()),
      }),
    )
    const target = { provider: definition.id, model, name: model }
    const { head } = await provider.ask(newCall(changes), target, newAttempt())
    return { warnings: head.warnings, omitted: head.omitted, sent: upstream.callsFor(model).at(-1)?.asked }
  }

  it.each([
    [openai, 'o3', undefined],
    [openai, 'gpt-5-mini', undefined],
    [githubModels, 'openai/o4-mini', undefined],
    [anthropic, 'claude-sonnet-4-5', 1],
    [mistral, 'mistral-small-latest', 1.5],
  ])('is its temperature, and the answer says so: %o', async (definition, model, sent) => {
    const asked = await ask(definition, model, { temperature: 1.8 })
    expect(asked.sent?.temperature).toBe(sent)
    expect(asked.warnings).toEqual([expect.stringContaining('temperature')])
  })

  it('is a parameter that only Anthropic has, of a call without a body', async () => {
    const { warnings, omitted } = await ask(openai, 'gpt-4o', { parameters: { topK: 3 } })
    expect(omitted).toEqual(['top_k'])
    expect(warnings).toEqual([expect.stringContaining('top_k')])
  })

  it.each([
    [openai, 'gpt-4o', 1.8],
    [openai, 'gpt-5-chat-latest', 1.8],
    [openai, 'o3', 1],
    [openai, 'o3', undefined],
    [anthropic, 'claude-sonnet-4-5', 1],
    [mistral, 'mistral-small-latest', 1.5],
  ])('is not made up where it can: %o %s %s', async (definition, model, temperature) => {
    expect((await ask(definition, model, { temperature })).warnings).toBeUndefined()
  })

  it('is where the system speaks in the middle of a conversation', async () => {
    const say = (...roles: ('system' | 'developer' | 'user' | 'assistant')[]) =>
      roles.map(role => ({ role, content: role }))
    const late = { messages: say('system', 'user', 'system', 'assistant', 'user'), temperature: 2 }
    const asked = await ask(anthropic, 'claude-haiku-4-5', late)
    expect(asked.warnings).toEqual([
      expect.stringContaining('temperature'),
      expect.stringContaining('system messages'),
    ])
    expect(asked.sent?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    for (const roles of [['system', 'system', 'user'] as const, ['developer', 'system', 'user'] as const]) {
      const early = { messages: say(...roles) }
      expect((await ask(anthropic, 'claude-haiku-4-5', early)).warnings).toBeUndefined()
    }
    const developer = { messages: say('system', 'user', 'developer') }
    expect((await ask(anthropic, 'claude-haiku-4-5', developer)).warnings).toEqual([
      expect.stringContaining('system messages'),
    ])
  })

  const OPEN = { type: 'object', properties: { a: {} } }
  const rawOf = (format: WireFormat, body: object): Partial<Call> => {
    const { text, members } = rawJson(body)
    return { raw: { format, json: text, members, untranslated: [] } }
  }

  it.each<[ProviderDefinition, string, Partial<Call>, string]>([
    [anthropic, 'claude-sonnet-4-5', { temperature: 1.7 }, 'temperature'],
    [mistral, 'mistral-small-latest', { temperature: 1.9 }, 'temperature'],
    [anthropic, 'claude-sonnet-4-5', { maxOutputTokens: 1_000_000 }, 'max_tokens'],
    [
      anthropic,
      'claude-sonnet-4-5',
      { maxOutputTokens: 1_000_000, ...rawOf('openai-responses', { max_output_tokens: 1_000_000 }) },
      'max_output_tokens',
    ],
    [
      mistral,
      'mistral-small-latest',
      {
        parameters: { tools: [{ name: 'f', parameters: OPEN, strict: true }] },
        ...rawOf('openai-responses', { tools: [] }),
      },
      'tools.strict',
    ],
    [
      mistral,
      'mistral-small-latest',
      {
        parameters: { responseFormat: { type: 'json-schema', name: 'f', schema: OPEN, strict: true } },
        ...rawOf('openai-responses', { text: {} }),
      },
      'text.format',
    ],
    [openai, 'gpt-5', rawOf('anthropic-messages', { thinking: { type: 'disabled' } }), 'thinking'],
  ])('is a value that is changed: a warning, and where strict a refusal: %o %s %j', async (...asked) => {
    const [definition, model, changes, param] = asked
    expect((await ask(definition, model, changes)).warnings).toHaveLength(1)
    await expect(ask(definition, model, { ...changes, strict: true })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path: param }],
    })
  })

  it.each<[ProviderDefinition, string, Partial<Call>]>([
    [anthropic, 'claude-sonnet-4-5', { temperature: 1, maxOutputTokens: 64_000 }],
    [openai, 'gpt-5', rawOf('anthropic-messages', { thinking: { type: 'adaptive' } })],
    [openai, 'gpt-4o', rawOf('anthropic-messages', { thinking: { type: 'disabled' } })],
    [
      anthropic,
      'claude-sonnet-4-5',
      { messages: ['user', 'system', 'user'].map(role => ({ role, content: role }) as Message) },
    ],
  ])('is refused for no more than that where strict: %o %s %j', async (definition, model, changes) => {
    await expect(ask(definition, model, { ...changes, strict: true })).resolves.toBeDefined()
  })

  it('does not matter where the model does not answer', async () => {
    upstream.forModel('o1', refuses(400))
    await expect(ask(openai, 'o1', { temperature: 2 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})
