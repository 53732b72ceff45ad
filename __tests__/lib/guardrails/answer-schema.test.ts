import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { GatewayError } from '#lib/errors.ts'
import {
  type AnswerSchemaReport,
  type AnswerSchemaRule,
  answerSchema,
} from '#lib/guardrails/answer-schema.ts'
import { SchemaValidator } from '#lib/guardrails/json-schema/validator.ts'
import { answerOf } from '#lib/llm/events.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { postOver } from '#lib/llm/providers/shared/upstream.ts'
import { upstreamAgent } from '#lib/llm/providers/shared/upstream-agent.ts'
import type { Call } from '#lib/llm/types.ts'
import { texts } from '../../support/anthropic-behaviour.ts'
import { collect, newAttempt, newCall } from '../../support/calls.ts'
import { anthropicCall, openAiCall, responsesCall } from '../../support/dialect-calls.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { completes } from '../../support/openai-behaviour.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { openAiModel, weatherCall } from '../../support/tool-calling.ts'
import {
  type Behaviour,
  chunk,
  completion,
  inTurn,
  refuses,
  says,
  stallsAfter,
  USAGE,
} from '../../support/upstream-behaviour.ts'

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const GOOD = '{"city":"Berlin"}'
const BAD = '{"city":4111}'
const FORMAT = { type: 'json-schema', name: 'place', schema: SCHEMA } as const

let upstream: FakeUpstream
const validator = new SchemaValidator(systemClock)
beforeAll(async () => {
  upstream = await FakeUpstream.start()
})
afterAll(async () => {
  validator.close()
  await upstream.stop()
})
beforeEach(() => {
  upstream.calls.length = 0
})

/** Asks a provider on a real socket through the policy. */
const setting = (rule: AnswerSchemaRule | undefined, definition: ProviderDefinition = openai) => {
  const reports: AnswerSchemaReport[] = []
  const asked: Call[] = []
  const provider = definition.create(
    providerDeps({
      baseUrl: upstream.baseUrl,
      post: postOver(upstreamAgent()),
    }),
  )
  const policy = answerSchema({
    ruleOf: () => rule,
    validator,
    priced: usage => ({ ...usage, costPicoUsd: 10 }),
    clock: systemClock,
    onReport: report => reports.push(report),
  })
  const ask = (call: Call) =>
    policy(call, next => {
      asked.push(next)
      return provider.ask(next, { provider: definition.id, model: 'model', name: 'model' }, newAttempt())
    })
  return { ask, reports, asked }
}

const call = (changes: Partial<Call> = {}) => newCall({ parameters: { responseFormat: FORMAT }, ...changes })
const REPAIR: AnswerSchemaRule = { validate: true, repair: true }
const failed = async (asked: Promise<unknown>): Promise<GatewayError> => {
  const error = await asked.then(
    () => undefined,
    reason => reason,
  )
  if (!(error instanceof GatewayError)) throw new Error('it did not fail')
  return error
}
const messagesAt = (index: number) => upstream.calls[index]?.asked.messages ?? []

describe.each([false, true])('an answer that must match a JSON schema (stream: %s)', stream => {
  it('passes as it is where it matches, asked for once', async () => {
    upstream.usually(says(['{"city":', '"Berlin"}']))
    const { ask, reports } = setting(REPAIR)
    const reply = await ask(call({ stream }))
    expect(answerOf(await collect(reply))?.text).toBe(GOOD)
    expect(await reply.usage).toEqual({ inputTokens: 7, outputTokens: 5 })
    expect(upstream.calls).toHaveLength(1)
    expect(reports).toEqual(['valid'])
  })

  it('is asked for once more with the error, and nothing of the first one is passed on', async () => {
    upstream.usually(inTurn(says(['{"city":', '4111}']), says([GOOD])))
    const { ask, reports, asked } = setting(REPAIR)
    const reply = await ask(call({ stream }))
    const events = await collect(reply)
    expect(answerOf(events)?.text).toBe(GOOD)
    expect(JSON.stringify(events)).not.toContain('4111')
    expect(messagesAt(1)).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: BAD },
      { role: 'user', content: expect.stringContaining('$.city: Instance type "number" is invalid') },
    ])
    expect(asked[1]?.attempts).not.toBe(asked[0]?.attempts)
    expect(reports).toEqual(['repaired'])
    // Both attempts are on the bill.
    expect(await reply.usage).toEqual({ inputTokens: 14, outputTokens: 10, reportedPicoUsd: 20 })
  })

  it('fails with 502 where the second one does not match either, and names the path and no word of it', async () => {
    upstream.usually(says([BAD]))
    const { ask, reports } = setting(REPAIR)
    const error = await failed(ask(call({ stream })))
    expect([error.code, error.status]).toEqual(['PROVIDER_ERROR', 502])
    expect(error.message).toBe("The model's answer does not match its JSON schema: $.city fails “type”.")
    expect(error.details).toEqual([{ path: '$.city', message: 'fails type' }])
    expect(upstream.calls).toHaveLength(2)
    expect(reports).toEqual(['invalid'])
  })

  it('fails at once where no repair is configured', async () => {
    upstream.usually(says(['not json 4111']))
    const error = await failed(setting({ validate: true, repair: false }).ask(call({ stream })))
    expect(error.message).toBe("The model's answer does not match its JSON schema: it is not valid JSON.")
    expect(upstream.calls).toHaveLength(1)
  })

  it('is checked against the schema of the rule where that names one, which the model is shown', async () => {
    upstream.usually(inTurn(says([GOOD]), says(['{"town":"Berlin"}'])))
    const { ask } = setting({ validate: true, schema: { required: ['town'] } })
    expect(answerOf(await collect(await ask(newCall({ stream }))))?.text).toBe('{"town":"Berlin"}')
    expect(messagesAt(1).at(-1)?.content).toContain('The schema: {"required":["town"]}')
  })

  it.each<[string, Behaviour]>([
    ['a call of a tool', openAiModel(() => ({ calls: [weatherCall('call_1', 'Berlin')] }))],
    ['an answer that was cut', says(['{"city":'], { finish: 'length' })],
    ['an answer that was filtered', says(['{'], { finish: 'content_filter' })],
    [
      'a refusal',
      completes(
        {
          ...completion('m', ''),
          choices: [
            {
              index: 0,
              message: { role: 'assistant', content: null, refusal: 'No.' },
              finish_reason: 'stop',
            },
          ],
        },
        [chunk({ refusal: 'No.' }), chunk({}, 'stop')],
      ),
    ],
  ])('is not checked where it is %s', async (_, behaviour) => {
    upstream.usually(behaviour)
    await collect(await setting(REPAIR).ask(call({ stream })))
    expect(upstream.calls).toHaveLength(1)
  })

  it('is not checked without a rule, or without a schema', async () => {
    upstream.usually(says(['free text']))
    for (const [rule, given] of [
      [undefined, call({ stream })],
      [{ validate: false }, call({ stream })],
      [REPAIR, newCall({ stream })],
    ] as const)
      expect(answerOf(await collect(await setting(rule).ask(given)))?.text).toBe('free text')
  })

  it('fails as its upstream does, also at the second attempt', async () => {
    upstream.usually(refuses(500))
    expect((await failed(setting(REPAIR).ask(call({ stream })))).code).toBe('PROVIDER_ERROR')
    upstream.usually(inTurn(says([BAD]), refuses(429)))
    expect((await failed(setting(REPAIR).ask(call({ stream })))).code).toBe('PROVIDER_RATE_LIMIT')
  })

  it('passes with a warning where the client’s schema cannot be used, and fails where that of the rule cannot', async () => {
    upstream.usually(says([GOOD]))
    const schema = { $ref: '#/none' }
    const { ask, reports } = setting(REPAIR)
    const events = await collect(
      await ask(call({ stream, parameters: { responseFormat: { ...FORMAT, schema } } })),
    )
    expect(events.at(-1)).toMatchObject({
      warnings: ['The answer could not be checked against its JSON schema.'],
    })
    expect(reports).toEqual(['unchecked'])
    expect((await failed(setting({ validate: true, schema }).ask(call({ stream })))).code).toBe(
      'PROVIDER_ERROR',
    )
  })

  describe('in a body that passes on as it came', () => {
    const body = (changes: object = {}) =>
      JSON.stringify({
        model: 'm',
        stream,
        messages: [{ role: 'user', content: 'Where?' }],
        response_format: { type: 'json_schema', json_schema: { name: 'place', schema: SCHEMA } },
        logit_bias: { 5: 1 },
        ...changes,
      })

    it('keeps what the client wrote, and adds the turn after it', async () => {
      upstream.usually(inTurn(says([BAD]), says([GOOD])))
      const reply = await setting(REPAIR).ask(await openAiCall(body()))
      const wires = (await collect(reply)).flatMap(event => (event.type === 'wire' ? event.json : []))
      expect(wires.join('')).toContain('Berlin')
      expect(wires.join('')).not.toContain('4111')
      const second = JSON.parse(upstream.calls[1]?.body ?? '{}')
      expect(second).toMatchObject({ logit_bias: { 5: 1 }, response_format: { type: 'json_schema' } })
      expect(second.messages.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant', 'user'])
    })

    /** Two choices, in pieces that take turns. */
    const two = (first: string, second: string): Behaviour =>
      completes(
        {
          ...completion('m', ''),
          choices: [first, second].map((content, index) => ({
            index,
            message: { role: 'assistant', content },
            finish_reason: 'stop',
          })),
        },
        [
          ...[0, 1, 2].flatMap(third =>
            [first, second].map((text, index) => {
              const size = Math.ceil(text.length / 3)
              const delta = { content: text.slice(third * size, (third + 1) * size) }
              return { ...chunk({}), choices: [{ index, delta, finish_reason: null }] }
            }),
          ),
          { ...chunk({}), choices: [0, 1].map(index => ({ index, delta: {}, finish_reason: 'stop' })) },
          { ...chunk({}), choices: [], usage: USAGE },
        ],
      )

    it('checks every one of its choices', async () => {
      upstream.usually(inTurn(two(GOOD, BAD), two(GOOD, GOOD)))
      const reply = await setting(REPAIR).ask(await openAiCall(body({ n: 2 })))
      await collect(reply)
      expect(upstream.calls).toHaveLength(2)
      expect(messagesAt(1)[1]).toEqual({ role: 'assistant', content: BAD })
      expect(await reply.usage).toMatchObject({ inputTokens: 14, outputTokens: 10 })
      upstream.usually(two(GOOD, 'x'))
      expect((await failed(setting(REPAIR).ask(await openAiCall(body({ n: 2 }))))).code).toBe(
        'PROVIDER_ERROR',
      )
    })
  })

  it('of Anthropic is asked for again in its own form', async () => {
    upstream.usually(inTurn(texts(BAD), texts(GOOD)))
    const given = await anthropicCall(
      JSON.stringify({
        model: 'm',
        max_tokens: 9,
        stream,
        system: [{ type: 'text', text: 'Short.', cache_control: { type: 'ephemeral' } }],
        messages: [{ role: 'user', content: 'Where?' }],
        output_format: { type: 'json_schema', schema: SCHEMA },
      }),
    )
    const events = await collect(await setting(REPAIR, anthropic).ask(given))
    expect(answerOf(events)?.text).toBe(GOOD)
    const second = JSON.parse(upstream.calls[1]?.body ?? '{}')
    expect(second.system[0].cache_control).toEqual({ type: 'ephemeral' })
    expect(second.messages.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant', 'user'])
  })
})

describe('a call that is asked again', () => {
  it('of Responses has the turn after its own input', async () => {
    upstream.usually(inTurn(refuses(404, { body: '{}' }), says([BAD]), says([GOOD])))
    const given = await responsesCall(
      JSON.stringify({
        model: 'm',
        input: 'Where?',
        text: { format: { type: 'json_schema', name: 'place', schema: SCHEMA } },
      }),
    )
    const { ask, asked } = setting(REPAIR)
    await collect(await ask(given))
    const written = asked[1]?.raw?.members.find(([name]) => name === 'input')?.[1]
    expect(JSON.parse(written ?? '[]')).toMatchObject([
      { role: 'user', content: [{ type: 'input_text', text: 'Where?' }] },
      { role: 'assistant', content: BAD },
      { role: 'user' },
    ])
    expect(asked[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
  })

  it('of a stream has as much time again', async () => {
    upstream.usually(inTurn(says([BAD]), says([GOOD])))
    const { ask, asked } = setting(REPAIR)
    const now = systemClock.now()
    await collect(await ask(call({ stream: true, startedAt: now, deadlineAt: now + 30_000 })))
    expect(asked[1]?.deadlineAt).toBeGreaterThan(now + 30_000)
  })

  it('is not made for a client that has gone, whose upstream is left at once', async () => {
    upstream.usually(stallsAfter('{"ci'))
    const client = new AbortController()
    const asked = setting(REPAIR).ask(call({ stream: true, signal: client.signal }))
    await expect.poll(() => upstream.open.length).toBe(1)
    client.abort(new GatewayError('CLIENT_GONE'))
    expect((await failed(asked)).code).toBe('CLIENT_GONE')
    await expect.poll(() => upstream.open.length).toBe(0)
    expect(upstream.calls).toHaveLength(1)
  })
})
