import { describe, expect, it } from 'vitest'
import { textsOfCall, withTextsOfCall } from '#lib/guardrails/call/texts.ts'
import { atOnce } from '#lib/loop-turns.ts'
import { membersOf } from '#lib/raw-json.ts'
import { newCall } from '../../support/calls.ts'

const rawCall = (body: object, messages: Parameters<typeof newCall>[0] = {}) => {
  const json = JSON.stringify(body)
  return newCall({ ...messages, raw: { format: 'anthropic-messages', json, members: membersOf(json) } })
}

const placesOf = (call: ReturnType<typeof newCall>): Record<string, string> =>
  Object.fromEntries(atOnce(textsOfCall(call)).map(({ text, place }) => [text, place]))

describe('the texts of a call', () => {
  it('are those of every message, with their places', () => {
    const call = newCall({
      messages: [
        { role: 'system', content: 'rules' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'question' },
            { type: 'image', url: 'data:x' },
          ],
        },
        {
          role: 'assistant',
          content: 'answer',
          toolCalls: [{ id: 'c', name: 'f', arguments: '{"a":"b"}' }],
          reasoning: [{ text: 'thought' }],
          refusal: 'no',
        },
        { role: 'tool', toolCallId: 'c', content: 'result' },
      ],
    })
    expect(placesOf(call)).toEqual({
      rules: 'system',
      question: 'user',
      answer: 'answer',
      '{"a":"b"}': 'tool-arguments',
      thought: 'reasoning',
      no: 'refusal',
      result: 'tool-result',
    })
  })

  it('are also those in parts that no format names, as documents, but neither names nor media', () => {
    const call = rawCall({
      model: 'm',
      messages: [{ role: 'user', content: [{ type: 'novel', deep: [{ note: 'hidden' }], data: 'AAAA' }] }],
      metadata: { user_id: 'not for the model' },
    })
    expect(placesOf(call)).toMatchObject({ hidden: 'document' })
    expect(Object.keys(placesOf(call))).not.toContain('AAAA')
    expect(Object.keys(placesOf(call))).not.toContain('not for the model')
  })

  it('are also what describes tools and the form of the answer, but no names, addresses and credentials', () => {
    const body = {
      messages: [{ role: 'user', content: 'question' }],
      tools: [
        {
          name: 'look_up',
          description: 'looks up',
          input_schema: {
            type: 'object',
            properties: {
              description: { type: 'string', title: 'a title', enum: ['one', 'two'], default: 'three' },
            },
          },
        },
        {
          type: 'mcp',
          server_url: 'https://mcp.example',
          authorization: 'token',
          server_description: 'a server',
        },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'n', description: 'the form' } },
    }
    const call = rawCall(body, { messages: [{ role: 'user', content: 'question' }] })
    const definitions = Object.entries(placesOf(call)).filter(([, place]) => place === 'tool-definition')
    expect(definitions.map(([text]) => text)).toEqual([
      'looks up',
      'a title',
      'one',
      'two',
      'three',
      'a server',
      'the form',
    ])
    expect(placesOf(call)).toEqual({ question: 'user', ...Object.fromEntries(definitions) })
  })

  it('are replaced in definitions too, as they are written and as they are translated', () => {
    const json =
      '{"tools":[{"type":"function","function":{"name":"x y","description":"x y","parameters":{"default":"x y","minimum":1.50}}}]}'
    const call = newCall({
      messages: [],
      parameters: { topP: 1, tools: [{ name: 'x y', description: 'x y', parameters: { default: 'x y' } }] },
      raw: { format: 'openai-chat', json, members: membersOf(json) },
    })
    const changed = atOnce(withTextsOfCall(call, new Map([['x y', 'z']])))
    expect(changed.parameters).toEqual({
      topP: 1,
      tools: [{ name: 'x y', description: 'z', parameters: { default: 'z' } }],
    })
    expect(changed.raw?.json).toBe(
      '{"tools":[{"type":"function","function":{"name":"x y","description":"z","parameters":{"default":"z","minimum":1.50}}}]}',
    )
  })

  it('within the arguments of an earlier tool call are the model’s, also where its format holds them as an object', () => {
    const call = rawCall(
      { messages: [{ role: 'assistant', content: [{ type: 'tool_use', input: { path: 'a file' } }] }] },
      {
        messages: [
          {
            role: 'assistant',
            content: '',
            toolCalls: [{ id: 'c', name: 'f', arguments: '{"path":"a file"}' }],
          },
        ],
      },
    )
    expect(placesOf(call)['a file']).toBe('tool-arguments')
  })

  const anthropicCall = (content: readonly object[] | string, args?: string) => {
    const json = `{"messages":[{"role":"assistant","content":${typeof content === 'string' ? content : JSON.stringify(content)}}]}`
    return newCall({
      messages: [
        {
          role: 'assistant',
          content: '',
          ...(args !== undefined && { toolCalls: [{ id: 'c', name: 'f', arguments: args }] }),
        },
      ],
      raw: { format: 'anthropic-messages', json, members: membersOf(json) },
    })
  }

  it('within the input of a tool are all strings, whatever their names, and the input as it is written', () => {
    const call = anthropicCall(
      '[{"type":"tool_use","name":"f","input": {"name" : "a","data":["b",{"id":"c"}],"n":1}}]',
    )
    expect(placesOf(call)).toEqual({
      '{"name" : "a","data":["b",{"id":"c"}],"n":1}': 'tool-arguments',
      a: 'tool-arguments',
      b: 'tool-arguments',
      c: 'tool-arguments',
    })
  })

  it('are the data of a source that is text, before and after its type, and no other data', () => {
    const call = anthropicCall([
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'first' } },
      { type: 'document', source: { data: 'second', type: 'text' } },
      { type: 'image', source: { type: 'base64', data: 'AAAA' }, other: { data: ['BBBB', 'CCCC'] } },
    ])
    expect(placesOf(call)).toEqual({ first: 'document', second: 'document' })
    const changed = atOnce(
      withTextsOfCall(
        call,
        new Map([
          ['first', 'x'],
          ['second', 'y'],
        ]),
      ),
    )
    expect(changed.raw?.json).toContain('"data":"x"')
    expect(changed.raw?.json).toContain('{"data":"y","type":"text"}')
  })

  it('are the data of every member of that name, by a type that is written with escapes too', () => {
    const call = anthropicCall('[{"source":{"data":"first","data":"second","type":"te\\u0078t"}},"third"]')
    expect(placesOf(call)).toEqual({ first: 'document', second: 'document', third: 'document' })
  })

  it.each([
    ['as it is written', '{"n": 4111111111111111, "id":"é"}', '{"n": 4111111111111111, "id":"é"}'],
    ['as a translator writes it', '{"n": 4.111111111111111e15, "id":"é"}', '{"n":4111111111111111,"id":"é"}'],
  ])('replace the input of a tool %s', (_, written, found) => {
    const call = anthropicCall(`[{"type":"tool_use","id":"é","name":"f","input":${written}}]`, '{}')
    const changed = atOnce(
      withTextsOfCall(
        call,
        new Map([
          [found, '{"n":"[CARD_1]","id":"é"}'],
          ['é', 'e'],
        ]),
      ),
    )
    expect(changed.raw?.json).toBe(
      '{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"é","name":"f","input":{"n":"[CARD_1]","id":"e"}}]}]}',
    )
  })

  it('are replaced within arguments that are passed on as a string, and in those that are translated', () => {
    const call = anthropicCall([{ type: 'text', text: '{"to":"a b"}' }], '{"to":"a b"}')
    const changed = atOnce(withTextsOfCall(call, new Map([['a b', 'x']])))
    expect(changed.messages).toMatchObject([{ toolCalls: [{ arguments: '{"to":"x"}' }] }])
  })

  it.each([
    ['the name of a message', [{ type: 'text', name: 'bob@example.com', text: 'bob@example.com' }]],
    ['a medium', [{ type: 'image', source: { type: 'base64', data: 'bob@example.com' } }]],
  ])('refuse a call where one stands in a place that cannot hold another: %s', (_, content) => {
    const replaced = new Map([['bob@example.com', '[EMAIL_1]']])
    expect(() => atOnce(withTextsOfCall(anthropicCall(content), replaced))).toThrow('cannot be replaced')
  })

  it('refuse a call whose tool input would be no JSON any more', () => {
    const replaced = new Map([['{"a":1}', '{"a":[X]}']])
    for (const args of ['{"a":1}', '{}'])
      expect(() =>
        atOnce(withTextsOfCall(anthropicCall([{ type: 'tool_use', input: { a: 1 } }], args), replaced)),
      ).toThrow('cannot be replaced')
  })

  it('are replaced in long bodies in steps, in a time that grows with their length', () => {
    const inputOf = (count: number) =>
      JSON.stringify(
        Array.from({ length: count }, (_, index) => ({ type: 'tool_use', input: { index, data: 'x y' } })),
      )
    const msOf = (count: number): number => {
      const call = anthropicCall(inputOf(count))
      const before = process.threadCpuUsage().user
      atOnce(textsOfCall(call))
      atOnce(withTextsOfCall(call, new Map([['x y', 'z']])))
      return (process.threadCpuUsage().user - before) / 1000
    }
    msOf(1_000)
    expect(msOf(10_000)).toBeLessThan(20 * Math.max(12, msOf(1_000)))
  })

  it('are those of every endpoint that a model reads', () => {
    const json =
      '{"model":"m","prompt":"one","suffix":"two","input":"three","query":"four","documents":["five",{"name":"six","id":"seven"}],"instructions":"eight","negative_prompt":"nine"}'
    const call = newCall({
      messages: [],
      passthrough: {
        endpoint: 'completions',
        namesModel: true,
        inputs: 1,
        body: { kind: 'json', members: membersOf(json) },
      },
    })
    expect(Object.keys(placesOf(call))).toEqual([
      'one',
      'two',
      'three',
      'four',
      'five',
      'six',
      'seven',
      'eight',
      'nine',
    ])
  })

  it('are replaced wherever they stand, and nothing else of the body changes', () => {
    const json = '{"messages":[{"role":"user","content":"a \\u0062 c","n":1.50}],"other":"a b c"}'
    const call = newCall({
      messages: [{ role: 'user', content: 'a b c' }],
      raw: { format: 'openai-chat', json, members: membersOf(json) },
    })
    const changed = atOnce(withTextsOfCall(call, new Map([['a b c', 'x']])))
    expect(changed.messages).toEqual([{ role: 'user', content: 'x' }])
    expect(changed.raw?.json).toBe('{"messages":[{"role":"user","content":"x","n":1.50}],"other":"a b c"}')
  })

  it('drop reasoning that would change: its vendor has signed it', () => {
    const call = newCall({
      messages: [{ role: 'assistant', content: 'hi', reasoning: [{ text: 'secret', signature: 's' }] }],
    })
    const [message] = atOnce(withTextsOfCall(call, new Map([['secret', 'x']]))).messages
    expect(message).toMatchObject({ content: 'hi', reasoning: [] })
  })
})
