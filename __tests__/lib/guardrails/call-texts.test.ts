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
