import { describe, expect, it } from 'vitest'
import { withTextsOfCall } from '#lib/guardrails/call/texts.ts'
import { messagesCall } from '#lib/http/dialects/anthropic-messages/request.ts'
import { omittedByMessages } from '#lib/llm/providers/anthropic/omitted.ts'
import { anthropicMessages } from '#lib/llm/providers/anthropic/protocol.ts'
import { messagesRequest } from '#lib/llm/providers/anthropic/request.ts'
import { chatRequest, omittedParameters } from '#lib/llm/providers/shared/chat-request.ts'
import { responsesOmitted } from '#lib/llm/providers/shared/responses-request.ts'
import { atOnce } from '#lib/loop-turns.ts'
import { withoutRaw } from '#lib/tools/loop/request.ts'
import { messagesBodyOrThrow } from '#lib/validation/anthropic-messages.ts'
import { newCall, TARGET } from '../../support/calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { rawJson } from '../../support/raw-json.ts'

const VARIANT = { provider: 'fake' }

const neverPosts = () => Promise.reject(new Error('not expected'))

/** What a body of Anthropic's becomes for a vendor of OpenAI's format, and what it leaves out. */
const translated = async (body: object) => {
  const sent = rawJson({ model: 'm', max_tokens: 10, ...body })
  const call = await messagesCall(newCall(), await messagesBodyOrThrow(sent.value), sent, {
    model: 'm',
    headers: new Headers(),
    cache: 'default',
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

describe('a request of Anthropic’s with a tool of the gateway', () => {
  const EPHEMERAL = { type: 'ephemeral', ttl: '1h' }
  const DOCUMENT = {
    type: 'document',
    source: { type: 'text', media_type: 'text/plain', data: 'High tide: 14:05.' },
    title: 'Almanac',
    context: 'Of 2026.',
    citations: { enabled: true },
    cache_control: EPHEMERAL,
  }
  const PAGES = {
    type: 'document',
    source: {
      type: 'content',
      content: [
        { type: 'text', text: 'One.' },
        { type: 'text', text: 'Two.' },
      ],
    },
    title: 'Pages',
  }
  const FOUND = { ...SEARCH_RESULT, citations: { enabled: true }, cache_control: EPHEMERAL }
  const UPLOADED = { type: 'image', source: { type: 'file', file_id: 'file_1' } }
  const SEARCH = { type: 'web_search_20250305', name: 'web_search_a', max_uses: 2 }
  const CLIENTS = {
    name: 'search',
    input_schema: { type: 'object' },
    strict: true,
    cache_control: EPHEMERAL,
    input_examples: [{}],
  }

  const rebuilt = async (body: object, headers: Record<string, string> = {}) => {
    const sent = rawJson({ model: 'm', max_tokens: 10, ...body })
    const call = await messagesCall(newCall(), await messagesBodyOrThrow(sent.value), sent, {
      model: 'm',
      headers: new Headers(headers),
      cache: 'default',
      requestTimeoutMs: 1_000,
    })
    return withoutRaw(call)
  }

  const sentToAnthropic = async (body: object) => {
    const { call, omitted } = await rebuilt(body)
    return {
      request: messagesRequest(call, TARGET, new Set()) as Readonly<{
        messages: readonly Readonly<{ content: unknown }>[]
        tools?: readonly object[]
      }>,
      omitted: [...omitted, ...omittedByMessages(call, TARGET, new Set())],
    }
  }

  const GATEWAY = { type: 'gateway', name: 'weather' }

  it('keeps the tools of Anthropic’s format as they were written for Anthropic', async () => {
    const { request, omitted } = await sentToAnthropic({
      messages: [asked],
      tools: [GATEWAY, SEARCH, CLIENTS],
    })
    expect(request.tools).toEqual([SEARCH, CLIENTS])
    expect(omitted).toEqual([])
  })

  it('names the tools that another vendor does not get', async () => {
    const { call } = await rebuilt({ messages: [asked], tools: [GATEWAY, SEARCH, CLIENTS], top_k: 5 })
    expect(chatRequest(call, TARGET, VARIANT, new Set())).toMatchObject({
      tools: [{ function: { name: 'search' } }],
    })
    const lost = ['tools.web_search_a', 'top_k']
    expect(omittedParameters(call, TARGET, VARIANT, new Set())).toEqual(lost)
    expect(responsesOmitted(call, TARGET, new Set())).toEqual(lost)
  })

  it('keeps documents, search results and uploaded images whole for Anthropic', async () => {
    const content = [DOCUMENT, PAGES, FOUND, UPLOADED, { type: 'text', text: 'When?' }]
    const { request, omitted } = await sentToAnthropic({ messages: [{ role: 'user', content }] })
    expect(request.messages[0]?.content).toEqual(content)
    expect(omitted).toEqual([])
  })

  it('keeps the breakpoints of calls and results, and whole blocks in them', async () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'search', input: {}, cache_control: EPHEMERAL }
    const result = {
      type: 'tool_result',
      tool_use_id: 'toolu_1',
      content: [FOUND, DOCUMENT],
      cache_control: EPHEMERAL,
    }
    const messages = [asked, { role: 'assistant', content: [call] }, { role: 'user', content: [result] }]
    expect((await sentToAnthropic({ messages })).request.messages).toEqual(messages)
  })

  it('gives other vendors title and context of a document as text, and names its citations', async () => {
    const { call } = await rebuilt({ messages: [{ role: 'user', content: [DOCUMENT, PAGES] }] })
    const { messages } = chatRequest(call, TARGET, VARIANT, new Set()) as Readonly<{
      messages: readonly object[]
    }>
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Almanac\nOf 2026.\nHigh tide: 14:05.' },
          { type: 'text', text: 'Pages' },
          { type: 'text', text: 'One.' },
          { type: 'text', text: 'Two.' },
        ],
      },
    ])
    expect(omittedParameters(call, TARGET, VARIANT, new Set())).toEqual(['messages.document.citations'])
  })

  it('names the context of a file, which has no place elsewhere', async () => {
    const source = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' }
    const { omitted } = await translated({
      messages: [{ role: 'user', content: [{ type: 'document', source, context: 'Of 2026.' }] }],
    })
    expect(omitted).toEqual(['messages.document.context'])
  })

  it('gives the headers of the format to Anthropic', async () => {
    const { call } = await rebuilt({ messages: [asked] }, { 'anthropic-beta': 'x-beta' })
    const { headers } = anthropicMessages('anthropic', providerDeps({ post: neverPosts }))
    expect(headers?.(call)).toEqual({ 'anthropic-beta': 'x-beta' })
    expect(headers?.(newCall())).toBeUndefined()
  })

  it('has redacted texts in its blocks too', async () => {
    const { call } = await rebuilt({ messages: [{ role: 'user', content: [DOCUMENT, FOUND] }] })
    const replaced = new Map([
      ['High tide: 14:05.', 'High tide: <time>.'],
      ['Almanac\nOf 2026.\nHigh tide: 14:05.', 'Almanac\nOf 2026.\nHigh tide: <time>.'],
      [AS_TEXT, 'Tides'],
    ])
    const { messages } = atOnce(withTextsOfCall(call, replaced))
    const [message] = (messagesRequest({ ...call, messages }, TARGET, new Set()) as { messages: object[] })
      .messages
    expect(message).toEqual({
      role: 'user',
      content: [
        { ...DOCUMENT, source: { ...DOCUMENT.source, data: 'High tide: <time>.' } },
        // Where the text stands in more than one string, the text is sent in its place.
        { type: 'text', text: 'Tides', cache_control: EPHEMERAL },
      ],
    })
  })

  it('has the breakpoint of a result on its last part for a vendor that takes these', async () => {
    const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: '7', cache_control: EPHEMERAL }
    const messages = [asked, called('toolu_1'), { role: 'user', content: [result] }]
    const { call } = await rebuilt({ messages })
    const variant = { ...VARIANT, messageForm: { takesBreakpoints: true } } as const
    expect(chatRequest(call, TARGET, variant, new Set())).toMatchObject({
      messages: [{}, {}, { role: 'tool', content: [{ type: 'text', text: '7', cache_control: EPHEMERAL }] }],
    })
    expect(chatRequest(call, TARGET, VARIANT, new Set())).toMatchObject({
      messages: [{}, {}, { role: 'tool', content: '7' }],
    })
  })
})
