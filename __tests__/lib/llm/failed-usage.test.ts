import { describe, expect, it } from 'vitest'
import type { PassthroughRequest } from '#lib/llm/passthrough.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import { azureOpenai } from '#lib/llm/providers/azure-openai.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { openrouter } from '#lib/llm/providers/openrouter.ts'
import { vllm } from '#lib/llm/providers/vllm.ts'
import type { Call, Usage } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { newAttempt, newCall, TARGET } from '../../support/calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { answering, providerThatSends } from '../../support/wire-fixtures.ts'

const JSON_TYPE = 'application/json'
const EVENTS_TYPE = 'text/event-stream'

const responsesJson = '{"model":"m","input":"Hi"}'
const RESPONSES: Partial<Call> = {
  raw: { format: 'openai-responses', json: responsesJson, members: membersOf(responsesJson) },
}
const completions: PassthroughRequest = {
  endpoint: 'completions',
  body: { kind: 'json', members: membersOf('{"prompt":"Hi"}') },
  namesModel: true,
  inputs: 1,
}

/** The usage of an attempt that fails before its first content. */
const usageOfFailed = async (
  definition: ProviderDefinition,
  type: string,
  body: string,
  changes: Partial<Call>,
): Promise<Usage | undefined> => {
  const provider = providerThatSends(definition, type, body)
  const attempt = newAttempt()
  const call = newCall({ stream: type === EVENTS_TYPE, ...changes })
  const asked = call.passthrough
    ? provider.pass?.(call, TARGET, attempt)
    : provider.ask(call, TARGET, attempt)
  await expect(asked).rejects.toThrow('overloaded')
  return attempt.usage
}

const events = (...data: readonly object[]): string =>
  data.map(one => `data: ${JSON.stringify(one)}\n\n`).join('')

const ERROR = { message: 'overloaded', type: 'server_error' }
const COUNTS = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }
const COUNTS_OF_RESPONSE = { input_tokens: 9, output_tokens: 4, total_tokens: 13 }
const FAILED = { status: 'failed', error: ERROR, output: [], usage: COUNTS_OF_RESPONSE }
const USED = { inputTokens: 9, outputTokens: 4 }

describe.each([
  ['OpenAI', openai],
  ['Azure', azureOpenai],
  ['a server of chat completions alone', vllm],
])('an attempt at %s that fails before its first content', (_, definition) => {
  it.each<[string, string, string, Partial<Call>]>([
    ['stream, before its error', EVENTS_TYPE, events({ choices: [], usage: COUNTS }, { error: ERROR }), {}],
    ['stream, beside its error', EVENTS_TYPE, events({ choices: [], usage: COUNTS, error: ERROR }), {}],
    ['answer', JSON_TYPE, JSON.stringify({ error: ERROR, usage: COUNTS }), {}],
    ['completion', JSON_TYPE, JSON.stringify({ error: ERROR, usage: COUNTS }), { passthrough: completions }],
    [
      'stream of a completion',
      EVENTS_TYPE,
      events({ choices: [], usage: COUNTS }, { error: ERROR }),
      { passthrough: completions },
    ],
  ])('keeps the usage of its %s', async (_what, type, body, changes) => {
    expect(await usageOfFailed(definition, type, body, changes)).toEqual(USED)
  })

  it.each([
    ['names its service tier alone', { service_tier: 'flex' }],
    ['has an empty usage', { usage: {} }],
  ])('has used nothing where it %s', async (_what, members) => {
    const body = events({ choices: [], ...members }, { error: ERROR })
    expect(await usageOfFailed(definition, EVENTS_TYPE, body, {})).toBeUndefined()
    const whole = JSON.stringify({ ...members, error: ERROR })
    expect(await usageOfFailed(definition, JSON_TYPE, whole, {})).toBeUndefined()
    const passed = { passthrough: completions }
    expect(await usageOfFailed(definition, JSON_TYPE, whole, passed)).toBeUndefined()
  })
})

describe.each([
  ['OpenAI', openai],
  ['Azure', azureOpenai],
])('a response of %s that fails before its first content', (_, definition) => {
  it.each([
    ['a stream', EVENTS_TYPE, events({ type: 'response.failed', response: FAILED })],
    ['a whole one', JSON_TYPE, JSON.stringify(FAILED)],
  ])('keeps the usage of %s', async (_what, type, body) => {
    expect(await usageOfFailed(definition, type, body, RESPONSES)).toEqual(USED)
  })
})

describe('an attempt at OpenRouter that fails before its first content', () => {
  it('keeps the cost that it reports', async () => {
    const choices = [{ index: 0, delta: {}, finish_reason: 'error', error: ERROR }]
    const body = events({ choices, usage: { ...COUNTS, cost: 0.002 } })
    expect(await usageOfFailed(openrouter, EVENTS_TYPE, body, {})).toEqual({
      ...USED,
      reportedPicoUsd: 2_000_000_000,
    })
  })
})

/** The usage of an attempt whose answer, in these pieces, cannot be read. */
const usageOfBroken = async (
  definition: ProviderDefinition,
  pieces: readonly string[],
  type = JSON_TYPE,
): Promise<Usage | undefined> => {
  const post = answering(
    200,
    type,
    pieces.map(piece => Buffer.from(piece)),
  )
  const provider = definition.create(providerDeps({ baseUrl: 'http://upstream/v1', post }))
  const attempt = newAttempt()
  await expect(provider.ask(newCall(), TARGET, attempt)).rejects.toMatchObject({ code: 'PROVIDER_ERROR' })
  return attempt.usage
}

const choice = (content: unknown) => ({
  index: 0,
  message: { role: 'assistant', content },
  finish_reason: 'stop',
})
const answer = (content: unknown): string => JSON.stringify({ choices: [choice(content)], usage: COUNTS })

describe('a whole answer that cannot be read', () => {
  it('keeps the usage that it reports where it holds something else than text', async () => {
    expect(await usageOfBroken(openai, [answer(42)])).toEqual(USED)
  })

  it.each([
    ['is followed by other bytes', [answer('Hi'), 'garbage']],
    ['ends within its last brackets', [answer('Hi').slice(0, -1)]],
    ['is too long', ['{"choices":[', ...Array(64).fill(' '.repeat(1_048_576))]],
    [
      'has more values than can be parsed at once',
      ['{"choices":[', ...Array(9).fill('0,'.repeat(524_288)), '0]}'],
    ],
  ])('costs nothing where it is not complete JSON: it %s', async (_what, pieces) => {
    expect(await usageOfBroken(openai, pieces)).toBeUndefined()
  })

  it('keeps the cost that OpenRouter reports', async () => {
    const body = JSON.stringify({ choices: [choice(42)], usage: { ...COUNTS, cost: 0.002 } })
    expect(await usageOfBroken(openrouter, [body])).toEqual({ ...USED, reportedPicoUsd: 2_000_000_000 })
  })

  it('keeps the cached input that Anthropic counts beside the rest', async () => {
    const usage = { input_tokens: 2, cache_read_input_tokens: 7, output_tokens: 4 }
    const body = JSON.stringify({ content: [{ type: 'text', text: 42 }], stop_reason: 'end_turn', usage })
    expect(await usageOfBroken(anthropic, [body])).toMatchObject({ ...USED, cachedInputTokens: 7 })
  })

  it('is read, and used what it reports, where it has a text of 31 MB', async () => {
    const body = answer('é'.repeat(15_500_000))
    const pieces = Array.from({ length: 32 }, (_, index) =>
      Buffer.from(body).subarray(index * 1_000_001, (index + 1) * 1_000_001),
    )
    const provider = openai.create(providerDeps({ post: answering(200, JSON_TYPE, pieces) }))
    const reply = await provider.ask(newCall(), TARGET, newAttempt())
    expect(await reply.usage).toEqual(USED)
    const group = await reply.events[Symbol.asyncIterator]().next()
    expect(group.value?.[0]).toEqual({ type: 'text-delta', text: 'é'.repeat(15_500_000) })
  })

  it('has used nothing where it is no JSON at all', async () => {
    expect(await usageOfBroken(openai, ['<html>Sign in</html>'], 'text/html')).toBeUndefined()
  })
})
