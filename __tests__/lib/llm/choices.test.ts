import { describe, expect, it } from 'vitest'
import { openai } from '#lib/llm/providers/openai.ts'
import type { Call, Usage } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { collect, newCall, TARGET } from '../../support/calls.ts'
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
  const reply = await provider.ask(call, TARGET)
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
