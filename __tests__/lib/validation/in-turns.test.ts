import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { messagesBodyOrThrow } from '#lib/validation/anthropic-messages.ts'
import { chatBodyOrThrow } from '#lib/validation/openai-chat.ts'
import { responsesBodyOrThrow } from '#lib/validation/openai-responses.ts'

const outcome = async (check: () => unknown): Promise<unknown> => {
  try {
    return { body: await check() }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return error.details
  }
}

const parts = [
  { type: 'text', text: 'What is this?', cache_control: { type: 'ephemeral' } },
  { type: 'image_url', image_url: { url: 'https://example.com/i.png' } },
]
const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }
const CHAT: Readonly<Record<string, object>> = {
  valid: {
    messages: [
      { role: 'user', content: parts },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'a cat' },
    ],
    tools: [{ type: 'function', function: { name: 'look' } }],
    x_vendor: 1,
  },
  'no message': { messages: [] },
  'messages that are no list': { messages: 'Hi' },
  'a part without its text': { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
  'an unknown role': {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'robot', content: 'Hi' },
    ],
  },
  'a result without its call': { messages: [{ role: 'tool', content: 'a cat' }] },
  'a message without content': { messages: [{ role: 'user' }] },
  'more parts than a message may hold': {
    messages: [
      { role: 'user', content: Array.from({ length: 10_001 }, () => ({ type: 'text', text: 'a' })) },
    ],
  },
  'more sequences to stop at than it may hold': {
    messages: [{ role: 'user', content: 'Hi' }],
    stop: Array.from({ length: 4_097 }, () => 1),
  },
  'more calls than a message may hold': {
    messages: [{ role: 'assistant', tool_calls: Array.from({ length: 4_097 }, () => 1) }],
  },
  'a tool without a name': { messages: [{ role: 'user', content: 'Hi' }], tools: [{ function: {} }] },
  'a temperature in words': { messages: [{ role: 'user', content: 'Hi' }], temperature: 'warm' },
}
const RESPONSES: Readonly<Record<string, object>> = {
  valid: {
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'done' },
    ],
    instructions: [{ role: 'system', content: 'Be brief.' }],
    tools: [{ type: 'web_search' }, { type: 'function', name: 'f' }],
  },
  'references without a type': {
    input: [{ id: 'msg_1' }, { id: 'msg_2', type: null, role: null }, { role: 'user', content: 'Hi' }],
  },
  'no reference: a message with an id, a role and no content': { input: [{ id: 'msg_1', role: 'user' }] },
  'no reference: an id that is no text': { input: [{ id: 1 }] },
  'a text': { input: 'Hi' },
  nothing: {},
  'an empty list': { input: [] },
  'a part without its text': { input: [{ role: 'user', content: [{ type: 'input_text' }] }] },
  'an item without its call': { input: [{ type: 'function_call_output', output: 'x' }] },
  'an item of a type that every object has': { input: [{ type: 'constructor' }, { type: '__proto__' }] },
  'a function without a name': { input: 'Hi', tools: [{ type: 'function' }] },
}

describe.each([
  ['chat completions', CHAT, chatBodyOrThrow],
  ['Responses', RESPONSES, responsesBodyOrThrow],
] as const)('a large body of %s', (_, bodies, checked) => {
  it.each(Object.entries(bodies))('is checked in turns as a small one is: %s', async (_name, body) => {
    const value = { model: 'm', ...body }
    const small = await outcome(() => checked({ value, isLarge: false }))
    expect(await outcome(() => checked({ value, isLarge: true }))).toEqual(small)
  })
})

describe('very many wrong elements', () => {
  /** An element that counts how often its role is looked at. */
  const counted = (read: () => void): object => ({
    get role() {
      read()
      return 'robot'
    },
  })
  const isLarge = true
  const model = 'm'

  it.each<[string, (list: readonly object[]) => unknown]>([
    ['chat completions', messages => chatBodyOrThrow({ value: { model, messages }, isLarge })],
    ['Responses', input => responsesBodyOrThrow({ value: { model, input }, isLarge })],
    ['messages', messages => messagesBodyOrThrow({ model, messages, max_tokens: 1 })],
  ])('of %s are not all checked, nor counted', async (_, checked) => {
    const looked = new Set<number>()
    const list = Array.from({ length: 1_000 }, (_, at) => counted(() => looked.add(at)))
    const error: GatewayError = await Promise.resolve(list)
      .then(checked)
      .then(
        () => expect.fail('It was taken.'),
        thrown => thrown,
      )
    expect(error.details).toHaveLength(100)
    expect(error.message).toMatch(/; and more\.$/)
    expect(looked.size).toBeLessThanOrEqual(102)
  })
})
