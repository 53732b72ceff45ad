import { describe, expect, it } from 'vitest'
import { messagesBodyOrThrow } from '#lib/validation/anthropic-messages.ts'
import { chatBodyOrThrow } from '#lib/validation/openai-chat.ts'
import { responsesBodyOrThrow } from '#lib/validation/openai-responses.ts'

const SEARCH_RESULT = {
  type: 'search_result',
  source: 'https://example.org/tides',
  title: 'Tides',
  content: [{ type: 'text', text: 'Twice a day.' }],
  citations: { enabled: true },
}

/** Every member that is checked somewhere, with a value that no known type has. */
const ODD = {
  role: 7,
  name: '',
  id: 7,
  call_id: 7,
  tool_use_id: '',
  content: 7,
  input: 7,
  arguments: { query: 'tides' },
  output: 7,
  source: 7,
  title: 7,
  text: { value: 'x' },
  thinking: [],
  signature: {},
  summary: 'x',
  encrypted_content: {},
  image_url: 7,
  input_audio: 7,
  file: 7,
  detail: 7,
  refusal: 7,
  parameters: 'x',
  description: 7,
  strict: 'x',
  format: 'png',
}

const messages = (role: string, ...content: object[]) =>
  messagesBodyOrThrow({ model: 'm', max_tokens: 10, messages: [{ role, content }] })

describe('what the gateway does not read is not checked', () => {
  it('in a search result for Anthropic, alone and as the result of a tool', async () => {
    const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: [SEARCH_RESULT] }
    await expect(messages('user', SEARCH_RESULT, result)).resolves.toBeDefined()
  })

  it.each(['constructor', 'later_block'])('in a block of the type %s', async type => {
    const odd = { ...ODD, type }
    const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: [odd] }
    await expect(messages('user', odd, result)).resolves.toBeDefined()
    await expect(messages('assistant', odd)).resolves.toBeDefined()
  })

  it('in members that another type of block has', async () => {
    await expect(
      messages(
        'user',
        { ...ODD, type: 'text', text: 'Hi' },
        { ...ODD, type: 'tool_result', tool_use_id: 'a', content: 'b' },
      ),
    ).resolves.toBeDefined()
  })

  it.each([false, true])('in items, parts and tools of Responses (large: %s)', async isLarge => {
    const search = {
      type: 'tool_search_call',
      call_id: null,
      execution: 'server',
      arguments: { goal: 'tides' },
    }
    const value = {
      model: 'm',
      input: [
        search,
        { ...ODD, type: 'later_item' },
        { role: 'user', content: [{ ...ODD, type: 'later_part' }] },
        { ...ODD, type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
      ],
      tools: [{ ...ODD, type: 'later_tool' }],
    }
    expect(await responsesBodyOrThrow({ value, isLarge })).toBeDefined()
  })

  it.each([false, true])('in parts of chat completions (large: %s)', async isLarge => {
    const value = { model: 'm', messages: [{ role: 'user', content: [{ ...ODD, type: 'video_url' }] }] }
    expect(await chatBodyOrThrow({ value, isLarge })).toBeDefined()
  })
})

describe('what the gateway reads is checked', () => {
  it.each([
    [{ type: 'image', source: 'https://example.org/i.png' }, 'source must be an object, is string'],
    [{ type: 'document', source: 7 }, 'source must be an object'],
    [{ type: 'image' }, 'source is required'],
    [{ type: 'text' }, 'text is required'],
    [{ text: 'Hi' }, 'type is required'],
  ])('in the block %j', async (block, fault) => {
    await expect(messages('user', block)).rejects.toThrow(`messages[0].content[0].${fault}`)
  })

  it.each([
    [{ type: 'function_call', call_id: 'call_1', name: 'look', arguments: {} }, 'arguments must be a string'],
    [{ type: 'custom_tool_call', call_id: 'call_1', name: 'look' }, 'input is required'],
    [{ role: 'narrator', content: 'Hi' }, 'role must be one of'],
  ])('in the item %j', async (item, fault) => {
    const value = { model: 'm', input: [item] }
    for (const isLarge of [false, true])
      await expect((async () => responsesBodyOrThrow({ value, isLarge }))()).rejects.toThrow(fault)
  })
})

describe('a list of blocks within a block', () => {
  const blocks = Array.from({ length: 10_001 }, () => ({ type: 'text', text: '' }))

  it.each([
    ['the result of a tool', { type: 'tool_result', tool_use_id: 'a', content: blocks }],
    ['a search result', { ...SEARCH_RESULT, content: blocks }],
    ['a document', { type: 'document', source: { type: 'content', content: blocks } }],
  ])('has a most, as that of a message: %s', async (_, block) => {
    const body = { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: [block] }] }
    await expect(messagesBodyOrThrow(body)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})
