import { describe, expect, it } from 'vitest'
import { messageEvents, messagePart } from '#lib/llm/providers/anthropic/reply.ts'
import { responseEvents, responsePart } from '#lib/llm/providers/shared/responses-reply.ts'

const options = { provider: 'vendor', redact: (text: string) => text }

describe('the calls of tools that a vendor ran are read', () => {
  const used = {
    input_tokens: 150_000,
    output_tokens: 1_000,
    server_tool_use: { web_search_requests: 10, web_fetch_requests: 0 },
  }

  it('from a message of Anthropic’s', () => {
    const body = { type: 'message', content: [], stop_reason: 'end_turn', usage: used }
    expect(messagePart(JSON.stringify(body), options).usage?.hostedCalls).toEqual({ web_search: 10 })
  })

  it('from a stream of Anthropic’s, at its end', () => {
    const read = messageEvents(options)
    const begun = { type: 'message_start', message: { usage: { input_tokens: 5, output_tokens: 1 } } }
    read({ event: 'message_start', data: JSON.stringify(begun) })
    const ended = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: used }
    const { usage } = read({ event: 'message_delta', data: JSON.stringify(ended) })
    expect(usage).toMatchObject({ inputTokens: 150_000, hostedCalls: { web_search: 10 } })
  })

  const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 }
  const output = [
    { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'a' } },
    { type: 'web_search_call', status: 'completed', action: { type: 'open_page', url: 'b' } },
    { type: 'web_search_call', status: 'failed' },
    { type: 'file_search_call', status: 'completed' },
    { type: 'function_call', call_id: 'c', name: 'mine', arguments: '{}' },
    { type: 'mcp_call' },
  ]

  it('from a response of OpenAI’s: searches, and no pages of theirs', () => {
    const body = { status: 'completed', output, tools: [{ type: 'web_search' }], usage }
    expect(responsePart(JSON.stringify(body), options).usage?.hostedCalls).toEqual({
      web_search: 1,
      file_search: 1,
    })
  })

  it('from a stream of OpenAI’s, at its end, by the tool that searched', () => {
    const tools = [{ type: 'web_search_preview_2025_03_11' }]
    const response = { status: 'completed', output: output.slice(0, 1), tools, usage }
    const data = JSON.stringify({ type: 'response.completed', response })
    const part = responseEvents(options)({ event: 'response.completed', data })
    expect(part.usage?.hostedCalls).toEqual({ web_search_preview: 1 })
  })
})
