import { describe, expect, it } from 'vitest'
import { traceparentOf } from '#lib/http/request-headers.ts'
import type { PassthroughRequest } from '#lib/llm/passthrough.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import { azureOpenai } from '#lib/llm/providers/azure-openai.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { gemini } from '#lib/llm/providers/gemini.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { stability } from '#lib/llm/providers/stability.ts'
import type { Call, Provider } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import type { Attempt } from '#lib/request-context.ts'
import { newCall, TARGET } from '../../support/calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const ATTEMPT: Attempt = { number: 2, target: TARGET, startedAt: 0 }

const raw = (format: NonNullable<Call['raw']>['format'], json: string): Partial<Call> => ({
  raw: { format, json, members: membersOf(json), headers: { 'anthropic-beta': 'one' } },
})
const passed = (endpoint: PassthroughRequest['endpoint']): Partial<Call> => ({
  passthrough: {
    endpoint,
    body: { kind: 'json', members: membersOf('{"prompt":"Hi"}') },
    namesModel: true,
    inputs: 1,
  },
})

type Way = (provider: Provider, call: Call) => Promise<unknown> | undefined

const ask: Way = (provider, call) => provider.ask(call, TARGET, ATTEMPT)
const pass: Way = (provider, call) => provider.pass?.(call, TARGET, ATTEMPT)
const count: Way = (provider, call) => provider.countTokens?.(call, TARGET, ATTEMPT)

/** The headers with which a provider sends a call. */
const sentBy = async (
  definition: ProviderDefinition,
  way: Way,
  changes: Partial<Call>,
): Promise<Readonly<Record<string, string>>> => {
  let sent: Readonly<Record<string, string>> = {}
  const provider = definition.create(
    providerDeps({
      baseUrl: definition.defaultBaseUrl ?? 'http://upstream/v1',
      post: async ({ headers }) => {
        sent = headers
        throw new Error('It is not sent.')
      },
    }),
  )
  await expect(way(provider, newCall(changes))).rejects.toThrow('connection')
  return sent
}

describe.each<[string, ProviderDefinition, Way, Partial<Call>]>([
  ['a chat', openai, ask, {}],
  ['a streamed chat', openai, ask, { stream: true }],
  ['a chat at Azure', azureOpenai, ask, {}],
  ['a chat at Gemini', gemini, ask, {}],
  ['a request for Responses', openai, ask, raw('openai-responses', '{"model":"m","input":"Hi"}')],
  ['a message', anthropic, ask, {}],
  ['a message that passes on', anthropic, ask, raw('anthropic-messages', '{"model":"m","messages":[]}')],
  ['a count of tokens', anthropic, count, raw('anthropic-messages', '{"model":"m","messages":[]}')],
  ['an endpoint beside chat', openai, pass, passed('completions')],
  ['images of Stability AI', stability, pass, passed('images/generations')],
])('%s', (_, definition, way, changes) => {
  it('names its attempt, and the client’s place in a trace, to the upstream', async () => {
    expect(await sentBy(definition, way, { ...changes, traceparent: TRACEPARENT })).toMatchObject({
      traceparent: TRACEPARENT,
      'x-gateway-attempt-id': 'request-1.2',
    })
  })

  it('has no place in a trace where the client has sent none', async () => {
    const sent = await sentBy(definition, way, changes)
    expect(sent).toHaveProperty('x-gateway-attempt-id')
    expect(sent).not.toHaveProperty('traceparent')
  })
})

describe('a client’s place in a trace', () => {
  const read = (traceparent: string): string | undefined =>
    traceparentOf(new Request('http://gateway', { headers: { traceparent } }))

  it('is taken as it came', () => {
    expect(read(TRACEPARENT)).toBe(TRACEPARENT)
    expect(traceparentOf(new Request('http://gateway'))).toBeUndefined()
  })

  it.each([
    '',
    'sk-secret',
    TRACEPARENT.toUpperCase(),
    TRACEPARENT.replace('00-', '01-'),
    TRACEPARENT.replace('00-', 'ff-'),
    `${TRACEPARENT}-more`,
    TRACEPARENT.slice(0, -1),
    TRACEPARENT.replace('b7ad6b7169203331', '0'.repeat(16)),
    TRACEPARENT.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    `${TRACEPARENT}, ${TRACEPARENT}`,
  ])('is not one where it is “%s”', traceparent => {
    expect(read(traceparent)).toBeUndefined()
  })
})
