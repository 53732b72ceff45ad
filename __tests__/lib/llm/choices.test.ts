import { describe, expect, it } from 'vitest'
import { openai } from '#lib/llm/providers/openai.ts'
import type { Call, ReplyEvent, Usage } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { collect, newAttempt, newCall, TARGET } from '../../support/calls.ts'
import { providerThatSends } from '../../support/wire-fixtures.ts'

const json = '{"model":"m","messages":[],"n":3}'
const RAW: Partial<Call> = { raw: { format: 'openai-chat', json, members: membersOf(json) } }
const TRANSLATED: Partial<Call> = { parameters: { choices: 3 } }

/** The usage of an answer that comes in these pieces; its client leaves after some groups of events. */
const usageOf = async (
  type: string,
  pieces: readonly string[],
  changes: Partial<Call>,
  groups = Number.POSITIVE_INFINITY,
): Promise<Usage> => {
  const provider = providerThatSends(openai, type, ...pieces)
  const call = newCall({ stream: type === 'text/event-stream', ...changes })
  const reply = await provider.ask(call, TARGET, newAttempt())
  if (groups === Number.POSITIVE_INFINITY) await collect(reply)
  else {
    const events = reply.events[Symbol.asyncIterator]()
    for (let group = 0; group < groups; group += 1) await events.next()
    await events.return?.()
  }
  return reply.usage
}

const chunk = (...choices: readonly object[]): string => `data: ${JSON.stringify({ choices })}\n\n`
const said = (index: number, delta: object): string => chunk({ index, delta, finish_reason: null })
const ended = [0, 1, 2].map(index => chunk({ index, delta: {}, finish_reason: 'stop' }))
const EIGHT = 'é123456'
const ROUND = [0, 1, 2].map(index => said(index, { content: EIGHT }))

describe.each([
  ['passes on', RAW, { groups: 4 }],
  ['is translated', TRANSLATED, { groups: 2 }],
])('the output of several answers to one call that %s', (_, changes, fourChunks) => {
  it.each<[string, readonly string[], number]>([
    ['choices one after the other', [...ROUND, ...ROUND, ...ended, 'data: [DONE]\n\n'], 12],
    ['a stream that is cut', [...ROUND, ...ROUND], 12],
    [
      'choices of one chunk',
      [
        chunk(...[0, 1, 2].map(index => ({ index, delta: { content: EIGHT } }))),
        chunk({ index: 0, delta: { content: EIGHT } }, { index: 1, delta: { reasoning_content: EIGHT } }),
        chunk({ index: 0, delta: { content: EIGHT } }, { index: 1, delta: { reasoning_content: EIGHT } }),
        ...ended,
      ],
      14,
    ],
    [
      'refusals, reasoning, parts and calls of tools',
      [
        ...ROUND,
        said(1, { refusal: EIGHT }),
        said(1, { reasoning: EIGHT, content: [{ type: 'text', text: EIGHT }] }),
        said(2, { tool_calls: [{ index: 0, function: { name: 'a', arguments: EIGHT } }] }),
        ...ended,
      ],
      14,
    ],
    [
      'whole messages, once',
      [
        chunk(...[0, 1, 2].map(index => ({ index, message: { content: EIGHT } }))),
        chunk(...[0, 1, 2].map(index => ({ index, message: { content: EIGHT }, finish_reason: 'stop' }))),
      ],
      6,
    ],
  ])('is estimated from the text of all: %s', async (_what, pieces, tokens) => {
    const usage = await usageOf('text/event-stream', pieces, changes)
    expect(usage).toMatchObject({ outputTokens: tokens, estimated: true })
  })

  it('is that of the text that came where the client leaves', async () => {
    const usage = await usageOf(
      'text/event-stream',
      [...ROUND, ...ROUND, ...ended],
      changes,
      fourChunks.groups,
    )
    expect(usage).toMatchObject({ outputTokens: 8, estimated: true })
  })

  it('is estimated for a whole answer too, and is what the vendor reports where it does', async () => {
    const choices = [0, 1, 2].map(index => ({ index, message: { content: EIGHT }, finish_reason: 'stop' }))
    const body = { choices, usage: { prompt_tokens: 3, completion_tokens: 0 } }
    const estimated = await usageOf('application/json', [JSON.stringify(body)], changes)
    expect(estimated).toMatchObject({ outputTokens: 6, estimated: true })
    const usage = { prompt_tokens: 3, completion_tokens: 9 }
    expect(await usageOf('application/json', [JSON.stringify({ choices, usage })], changes)).toEqual({
      inputTokens: 3,
      outputTokens: 9,
    })
  })
})

describe('several choices of a stream that passes on', () => {
  const DONE = 'data: [DONE]\n\n'
  const eventsOf = async (...pieces: readonly string[]): Promise<readonly ReplyEvent[]> => {
    const provider = providerThatSends(openai, 'text/event-stream', ...pieces)
    return collect(await provider.ask(newCall({ stream: true, ...RAW }), TARGET, newAttempt()))
  }
  const wires = (events: readonly ReplyEvent[]) =>
    events.flatMap(event => (event.type === 'wire' ? event.json : []))

  it.each([
    ['one after the other', [said(0, { content: 'a' }), ended[0], said(1, { content: 'b' })]],
    ['together', [said(0, { content: 'a' }), said(1, { content: 'b' }), ended[0]]],
    ['the first to come is not the first', [said(1, { content: 'b' }), said(0, { content: 'a' }), ended[1]]],
  ])('are cut where one that has begun has not ended: %s', async (_, pieces) => {
    const events = await eventsOf(...pieces.map(String))
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'PROVIDER_ERROR' } })
    expect((await eventsOf(...pieces.map(String), ...ended)).at(-1)).toMatchObject({ type: 'finish' })
  })

  it('stay ended where a vendor says more about them later', async () => {
    const events = await eventsOf(...ROUND, ...ended, chunk({ index: 1, content_filter_offsets: {} }))
    expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
  })

  it('each end with “stop” where [DONE] comes without their finish reason', async () => {
    const head = '"id":"c","object":"chat.completion.chunk","created":1.0,"model":"m"'
    const one = `data: {${head},"choices":[{"index":2,"delta":{"content":"c"}}],"usage":null}\n\n`
    const events = await eventsOf(
      said(0, { content: 'a' }),
      said(1, { content: 'b' }),
      one,
      ended[0] ?? '',
      DONE,
    )
    const end = (index: number) =>
      `{${head},"choices":[{"index":${index},"delta":{},"logprobs":null,"finish_reason":"stop"}]}`
    expect(wires(events).slice(-2)).toEqual([end(1), end(2)])
    expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'stop', raw: 'stop' })
  })

  it('have calls of tools in OpenAI’s form, each of its own', async () => {
    const called = (name: string) => ({ tool_calls: [{ function: { name, arguments: { a: 1 } } }] })
    const events = await eventsOf(said(0, called('f')), said(1, called('g')), said(1, called('h')), ...ended)
    const calls = wires(events).flatMap(json => JSON.parse(json).choices[0].delta.tool_calls ?? [])
    const call = (index: number, name: string) => ({
      index,
      id: expect.stringMatching(/^call_/),
      type: 'function',
      function: { name, arguments: '{"a":1}' },
    })
    expect(calls).toEqual([call(0, 'f'), call(0, 'g'), call(1, 'h')])
  })

  it('keep everything else of a repaired chunk as it was written', async () => {
    const before =
      '{"id":"c","created":1.0,"big":9007199254740993,"choices":[{"index":0,"delta":{"role":"assistant"'
    const after = '},"finish_reason":null,"x":1e400}]}'
    const call = '"tool_calls":[{"id":"call_1","function":{"name":"f","arguments":"{}"}}]'
    const events = await eventsOf(`data: ${before},${call}${after}\n\n`, ended[0] ?? '')
    expect(wires(events)[0]).toBe(
      `${before},"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]${after}`,
    )
  })

  it('of a whole answer have calls of tools in OpenAI’s form, and everything else as it was written', async () => {
    const choice = (index: number, calls: string) =>
      `{"index":${index},"score":1.0,"message":{"content":null,"tool_calls":[${calls}]},"finish_reason":"tool_calls"}`
    const well = '{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}'
    const ill = '{"id":"call_2","function":{"name":"g","arguments":{"a":1}}}'
    const repaired = '{"id":"call_2","type":"function","function":{"name":"g","arguments":"{\\"a\\":1}"}}'
    const body = (second: string) => `{"created":1.0,"choices":[${choice(0, well)},${choice(1, second)}]}`
    const provider = providerThatSends(openai, 'application/json', body(ill))
    const events = await collect(await provider.ask(newCall(RAW), TARGET, newAttempt()))
    expect(wires(events)).toEqual([body(repaired)])
  })

  it('have an id each, where a server gives all calls of an answer the same one', async () => {
    const call = (name: string, index?: number) => ({
      ...(index !== undefined && { index }),
      id: '0',
      type: 'function',
      function: { name, arguments: `{"of":"${name}"}` },
    })
    const message = { content: null, tool_calls: [call('f'), call('g')] }
    const body = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }] })
    const provider = providerThatSends(openai, 'application/json', body)
    const whole = await collect(await provider.ask(newCall(RAW), TARGET, newAttempt()))
    const calls = [call('f'), { ...call('g'), id: expect.stringMatching(/^call_/) }]
    expect(JSON.parse(wires(whole)[0] ?? '').choices[0].message.tool_calls).toEqual(calls)

    const streamed = await eventsOf(
      said(0, { tool_calls: [call('f', 0)] }),
      said(0, { tool_calls: [call('g', 1)] }),
      ended[0] ?? '',
    )
    const deltas = wires(streamed).flatMap(json => JSON.parse(json).choices[0].delta.tool_calls ?? [])
    expect(deltas).toEqual(calls.map((one, index) => ({ ...one, index })))
  })
})
