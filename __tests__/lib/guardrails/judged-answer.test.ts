import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { Judge } from '#lib/guardrails/judges/types.ts'
import { guardOutput } from '#lib/guardrails/output/output.ts'
import type { Place, PlacedText } from '#lib/guardrails/types.ts'
import type { ReplyEvent, WireFormat } from '#lib/llm/types.ts'
import { batches, collect, newCall, replyOf } from '../../support/calls.ts'
import { guardrailDeps } from '../../support/guardrails.ts'

const PLACES: readonly Place[] = ['answer', 'tool-arguments', 'refusal']
const FINISH: ReplyEvent = { type: 'finish', reason: 'stop' }

/** Refuses every text with the word BADWORD, and remembers what it was asked. */
const refusingJudge = () => {
  const asked: PlacedText[] = []
  const judge: Judge = {
    name: 'check',
    places: PLACES,
    failMode: 'closed',
    action: 'block',
    version: '1',
    judge: async texts => {
      const seen = texts.filter(({ place }) => PLACES.includes(place))
      asked.push(...seen)
      return {
        state: 'complete',
        verdicts: texts.map(({ text, place }) =>
          PLACES.includes(place) && text.includes('BADWORD')
            ? [{ rail: 'check', kind: 'word', rule: 'word', score: 1, start: 0, end: text.length }]
            : [],
        ),
      }
    },
  }
  return { judge, asked }
}

const judged = async (events: readonly ReplyEvent[]) => {
  const { judge, asked } = refusingJudge()
  const deps = { ...guardrailDeps(systemClock, { judges: [judge] }), judgeOf: () => judge }
  const rules = deps.profileFor(newCall())?.version
  const answer = guardOutput(deps)(newCall({ ...(rules !== undefined && { rules }) }), async () =>
    replyOf(batches([...events, FINISH])),
  )
  const outcome = await answer.then(
    async reply => ({ left: await collect(reply) }),
    error => ({ code: error.code }),
  )
  return { outcome, asked }
}

const wire = (format: WireFormat, value: object): ReplyEvent => ({
  type: 'wire',
  format,
  json: JSON.stringify(value),
})
const whole = (message: object, finish = 'stop') =>
  wire('openai-chat', { id: 'x', choices: [{ index: 0, message, finish_reason: finish }] })
const second = (message: object, finish: string) =>
  wire('openai-chat', {
    choices: [
      { index: 0, message: { role: 'assistant', content: 'Good' }, finish_reason: 'stop' },
      { index: 1, message: { role: 'assistant', ...message }, finish_reason: finish },
    ],
  })
const chunk = (index: number, delta: object) =>
  wire('openai-chat', { object: 'chat.completion.chunk', choices: [{ index, delta, finish_reason: null }] })
const content = (...blocks: object[]) => wire('anthropic-messages', { type: 'message', content: blocks })
const response = (...output: object[]) => wire('openai-responses', { object: 'response', output })
const event = (value: object) => wire('openai-responses', value)

const LEAVING: Readonly<Record<string, readonly ReplyEvent[]>> = {
  'a second choice that was cut': [second({ content: 'Some BADWORD' }, 'length')],
  'a second choice that calls a tool': [
    second(
      { tool_calls: [{ id: '1', function: { name: 'f', arguments: '{"a":"BADWORD"}' } }] },
      'tool_calls',
    ),
  ],
  'a second choice in pieces': [
    chunk(1, { content: 'BAD' }),
    chunk(0, { content: 'x' }),
    chunk(1, { content: 'WORD' }),
  ],
  'the arguments of an older call': [
    whole({ content: null, function_call: { name: 'f', arguments: 'BADWORD' } }),
  ],
  'the words of a sound': [whole({ content: null, audio: { id: 'a', data: 'AAAA', transcript: 'BADWORD' } })],
  'the title of a source': [
    whole({ content: 'Good', annotations: [{ type: 'url_citation', url_citation: { title: 'BADWORD' } }] }),
  ],
  'the title of a source of a stream': [
    chunk(0, { annotations: [{ type: 'url_citation', url_citation: { title: 'BADWORD' } }] }),
  ],
  'what Anthropic cites': [content({ type: 'text', text: 'Good', citations: [{ cited_text: 'BADWORD' }] })],
  'what Anthropic runs': [content({ type: 'server_tool_use', name: 'bash', input: { BADWORD: 1 } })],
  'what Anthropic’s run says': [
    content({
      type: 'code_execution_tool_result',
      content: { type: 'code_execution_result', stdout: 'BADWORD', return_code: 0 },
    }),
  ],
  'what Anthropic cites in a stream': [
    wire('anthropic-messages', {
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'citations_delta', citation: { cited_text: 'BADWORD' } },
    }),
  ],
  'the arguments of an MCP call': [response({ type: 'mcp_call', name: 'f', arguments: '{"a":"BADWORD"}' })],
  'the output of an MCP call': [response({ type: 'mcp_call', name: 'f', output: 'BADWORD' })],
  'the code of an interpreter': [response({ type: 'code_interpreter_call', code: 'print("BADWORD")' })],
  'the logs of an interpreter': [
    response({ type: 'code_interpreter_call', outputs: [{ type: 'logs', logs: 'BADWORD' }] }),
  ],
  'code in pieces': [
    event({ type: 'response.code_interpreter_call_code.delta', output_index: 0, delta: 'BAD' }),
    event({ type: 'response.code_interpreter_call_code.delta', output_index: 0, delta: 'WORD' }),
  ],
  'a member that no format has': [whole({ content: 'Good', extra: { notes: ['BADWORD'] } })],
}

describe('a judge that blocks', () => {
  it.each(Object.entries(LEAVING))('sees %s, which leaves as it came', async (_, events) => {
    const { outcome } = await judged([...events, { type: 'text-delta', text: 'Good' }])
    expect(outcome).toEqual({ code: 'CONTENT_BLOCKED' })
  })

  it('is asked once for what several events say, and not for names, ids, media and reasoning', async () => {
    const { outcome, asked } = await judged([
      chunk(0, { role: 'assistant', reasoning_content: 'Hm, BADWORD?' }),
      chunk(0, { content: 'Good ' }),
      chunk(0, { content: 'day' }),
      { type: 'text-delta', text: 'Good day' },
      response(
        { type: 'reasoning', id: 'r', content: [{ type: 'reasoning_text', text: 'BADWORD' }] },
        { type: 'image_generation_call', id: 'i', result: 'BADWORD'.repeat(60) },
      ),
      wire('openai-responses', {
        type: 'response.created',
        response: { object: 'response', instructions: 'Never say BADWORD', output: [] },
      }),
    ])
    expect(outcome).toHaveProperty('left')
    expect(asked).toEqual([{ text: 'Good day', place: 'answer' }])
  })

  it('gets many short texts in few', async () => {
    const annotations = Array.from({ length: 1_000 }, (_, index) => ({ title: `Source ${index}` }))
    const { asked } = await judged([
      whole({ content: 'Good', annotations }),
      { type: 'text-delta', text: 'Good' },
    ])
    expect(asked.length).toBeLessThan(6)
    expect(asked.at(-1)?.text).toContain('Source 999')
  })

  it('sees what stands after a list of half a million values', async () => {
    const values = Array.from({ length: 500_000 }, (_, index) => index)
    const { outcome } = await judged([whole({ content: 'Good', extra: { values, note: 'BADWORD' } })])
    expect(outcome).toEqual({ code: 'CONTENT_BLOCKED' })
  })
})
