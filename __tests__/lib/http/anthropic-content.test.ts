import { describe, expect, it } from 'vitest'
import { messagesCall } from '#lib/http/dialects/anthropic-messages/request.ts'
import { chatRequest, omittedParameters } from '#lib/llm/providers/shared/chat-request.ts'
import { messagesBodyOrThrow } from '#lib/validation/anthropic-messages.ts'
import { newCall, TARGET } from '../../support/calls.ts'
import { rawJson } from '../../support/raw-json.ts'

const VARIANT = { provider: 'fake' }

/** What a body of Anthropic's becomes for a vendor of OpenAI's format, and what it leaves out. */
const translated = async (body: object) => {
  const sent = rawJson({ model: 'm', max_tokens: 10, ...body })
  const call = await messagesCall(newCall(), await messagesBodyOrThrow(sent.value), sent, {
    model: 'm',
    headers: new Headers(),
    cache: 'default',
    strict: false,
    requestTimeoutMs: 1_000,
  })
  return {
    request: chatRequest(call, TARGET, VARIANT, new Set()) as Readonly<{
      messages: readonly object[]
      tools?: readonly object[]
    }>,
    omitted: omittedParameters(call, TARGET, VARIANT, new Set()),
  }
}

const asked = { role: 'user', content: 'When is high tide?' }
const SEARCH_RESULT = {
  type: 'search_result',
  source: 'https://example.org/tides',
  title: 'Tides',
  content: [
    { type: 'text', text: 'Twice a day.' },
    { type: 'text', text: 'Next: 14:05.' },
  ],
}
const AS_TEXT = 'Tides\nhttps://example.org/tides\nTwice a day.\nNext: 14:05.'

const called = (id: string) => ({
  role: 'assistant',
  content: [{ type: 'tool_use', id, name: 'search', input: {} }],
})

const resultOf = (id: string, fields: object) => ({
  role: 'user',
  content: [{ type: 'tool_result', tool_use_id: id, ...fields }],
})

describe('a conversation of Anthropic’s for another vendor', () => {
  it('has search results as text with their title and source, also where a tool found them', async () => {
    const { request } = await translated({
      messages: [
        { role: 'user', content: [SEARCH_RESULT] },
        called('toolu_1'),
        resultOf('toolu_1', { content: [SEARCH_RESULT] }),
      ],
    })
    expect(request.messages).toMatchObject([
      { role: 'user', content: AS_TEXT },
      { role: 'assistant' },
      { role: 'tool', tool_call_id: 'toolu_1', content: AS_TEXT },
    ])
  })

  it('has the names of the tools that a search of tools found', async () => {
    const content = [{ type: 'tool_reference', tool_name: 'tide_table' }]
    const { request } = await translated({
      messages: [asked, called('toolu_1'), resultOf('toolu_1', { content })],
    })
    expect(request.messages.at(-1)).toMatchObject({ role: 'tool', content: 'tide_table' })
  })

  it.each([
    ['boom', 'Error: boom'],
    ['Error: boom', 'Error: boom'],
    ['', 'Error'],
    [[{ type: 'text', text: 'boom' }], 'Error: boom'],
    [undefined, 'Error'],
  ])('says in the text of a result that the tool failed: %j', async (content, expected) => {
    const messages = [asked, called('toolu_1'), resultOf('toolu_1', { content, is_error: true })]
    const { request } = await translated({ messages })
    expect(request.messages.at(-1)).toMatchObject({ role: 'tool', content: expected })
    const succeeded = [asked, called('toolu_1'), resultOf('toolu_1', { content, is_error: false })]
    expect((await translated({ messages: succeeded })).request.messages.at(-1)).not.toMatchObject({
      content: 'Error',
    })
  })

  it('says so too where the result of a failed tool begins with an image', async () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://example.org/i.png' } }
    const messages = [asked, called('toolu_1'), resultOf('toolu_1', { content: [image], is_error: true })]
    const { request } = await translated({ messages })
    expect(request.messages.slice(-2)).toMatchObject([
      { role: 'tool', content: [{ type: 'text', text: 'Error' }] },
      { role: 'user', content: [{ type: 'image_url' }] },
    ])
  })

  it('is without the blocks of Anthropic’s own tools in answers, and names them', async () => {
    const search = {
      type: 'server_tool_use',
      id: 'srvtoolu_1',
      name: 'web_search',
      input: { query: 'tides' },
    }
    const found = {
      type: 'web_search_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: [{ type: 'web_search_result', url: 'https://example.org', encrypted_content: 'x' }],
    }
    const { request, omitted } = await translated({
      messages: [
        asked,
        { role: 'assistant', content: [search, found, { type: 'text', text: 'At noon.', citations: [] }] },
        { role: 'user', content: 'And tomorrow?' },
        { role: 'assistant', content: [search, found] },
        { role: 'user', content: 'Well?' },
      ],
    })
    expect(request.messages).toEqual([
      asked,
      { role: 'assistant', content: 'At noon.' },
      { role: 'user', content: 'And tomorrow?' },
      { role: 'user', content: 'Well?' },
    ])
    expect(omitted).toEqual(['messages.server_tool_use', 'messages.web_search_tool_result'])
  })

  it('is refused where a user’s own block is lost, which asks for something', async () => {
    const messages = [{ role: 'user', content: [{ type: 'container_upload', file_id: 'file_1' }] }]
    await expect(translated({ messages })).rejects.toThrow('takes no content of type container_upload')
  })
})
