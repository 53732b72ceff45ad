import { describe, expect, it } from 'vitest'
import { openai } from '#lib/llm/providers/openai.ts'
import type { Reply, WireFormat } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { newAttempt, newCall, TARGET } from '../../support/calls.ts'
import { providerThatSends } from '../../support/wire-fixtures.ts'

const JSON_BODY = '{"model":"m","messages":[],"stream":true}'

/** The upstream sends the next piece once the one before it is read. */
const asking = async (format: WireFormat, pieces: readonly object[]): Promise<Reply> => {
  const sent = pieces.map(piece => `data: ${JSON.stringify(piece)}\n\n`)
  const raw = { format, json: JSON_BODY, members: membersOf(JSON_BODY) } as const
  return providerThatSends(openai, 'text/event-stream', ...sent).ask(
    newCall({ raw, stream: true }),
    TARGET,
    newAttempt(),
  )
}

/** How many of the upstream's messages have been read when the first of them leave. */
const readBeforeContent = async (format: WireFormat, pieces: readonly object[]): Promise<number> => {
  const reply = await asking(format, pieces)
  const { value = [] } = await reply.events[Symbol.asyncIterator]().next()
  return value.length
}

const chunk = (delta: object): object => ({ choices: [{ index: 0, delta, finish_reason: null }] })
const ROLE = chunk({ role: 'assistant', content: '', refusal: null })
const NO_CONTENT = [
  ROLE,
  chunk({ content: null, function_call: null, audio: {}, images: [], reasoning_details: [{ text: '' }] }),
  chunk({ name: 'AI', reasoning_details: [{ type: 'reasoning.text', id: 'r', format: 'f', text: '' }] }),
  chunk({ content: [{ type: 'text', text: '' }], tool_calls: [] }),
]

describe('a chat completion that streams what is not read', () => {
  it.each<[string, object]>([
    ['audio', { audio: { data: 'AAAA', transcript: 'w' } }],
    ['a function call in the older form', { function_call: { arguments: '{' } }],
    ['images', { images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] }],
    ['encrypted reasoning', { content: '', reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }] }],
    ['parts of other types', { content: [{ type: 'reference', reference_ids: [1] }] }],
  ])('begins with its first piece: %s', async (_, delta) => {
    const read = await readBeforeContent('openai-chat', [...NO_CONTENT, chunk(delta), chunk(delta)])
    expect(read).toBe(NO_CONTENT.length + 1)
  })

  it('has not begun with a role or empty members, so that another model may still answer', async () => {
    const failure = { error: { message: 'Overloaded', type: 'server_error', code: 500 } }
    await expect(asking('openai-chat', [...NO_CONTENT, failure])).rejects.toMatchObject({
      code: 'PROVIDER_ERROR',
    })
  })
})

const RESPONSE = { id: 'resp_1', object: 'response', status: 'in_progress', output: [] }
const added = (item: object): object => ({ type: 'response.output_item.added', output_index: 0, item })
const BEGINNING = [
  { type: 'response.created', response: RESPONSE },
  { type: 'response.in_progress', response: RESPONSE },
  added({ type: 'reasoning', id: 'rs_1', summary: [] }),
  added({ type: 'message', id: 'msg_1', content: [] }),
  { type: 'response.content_part.added', part: { type: 'output_text', text: '' } },
  { type: 'response.output_text.delta', delta: '' },
]

describe('a response that streams what is not read', () => {
  it.each<[string, object]>([
    ['an item of the upstream’s own tools', added({ type: 'image_generation_call', id: 'ig_1' })],
    ['a partial image', { type: 'response.image_generation_call.partial_image', partial_image_b64: 'AA' }],
    ['a search', { type: 'response.web_search_call.searching', item_id: 'ws_1' }],
    ['code', { type: 'response.code_interpreter_call_code.delta', delta: 'x' }],
    ['arguments of a remote tool', { type: 'response.mcp_call_arguments.delta', delta: '{' }],
    ['audio', { type: 'response.audio.delta', delta: 'AAAA' }],
  ])('begins with its first event: %s', async (_, event) => {
    const read = await readBeforeContent('openai-responses', [...BEGINNING, event, event])
    expect(read).toBe(BEGINNING.length + 1)
  })

  it('has not begun with the beginning of an item that is read', async () => {
    const failed = { type: 'response.failed', response: { error: { code: 'server_error', message: 'x' } } }
    await expect(asking('openai-responses', [...BEGINNING, failed])).rejects.toMatchObject({
      code: 'PROVIDER_ERROR',
    })
  })
})
