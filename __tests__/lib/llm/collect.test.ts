import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerOf, append, collect, transform } from '#lib/llm/events.ts'
import type { ReplyEvent } from '#lib/llm/types.ts'
import { batches, replyOf } from '../../support/calls.ts'

const FINISH: ReplyEvent = { type: 'finish', reason: 'tool_calls' }
const EVENTS: readonly ReplyEvent[] = [
  { type: 'reasoning-delta', text: 'I should ' },
  { type: 'reasoning-delta', text: 'look.', signature: 's1' },
  { type: 'reasoning-delta', text: 'Again.' },
  { type: 'text-delta', text: 'Let me ' },
  { type: 'text-delta', text: 'see.' },
  { type: 'tool-call-delta', index: 0, id: 'a', name: 'one', arguments: '{"x"' },
  { type: 'tool-call-delta', index: 1, id: 'b', name: 'two', arguments: '{}' },
  { type: 'tool-call-delta', index: 0, arguments: ':1}' },
  FINISH,
]

describe('collect', () => {
  it('gives text, reasoning by signature, and tool calls by index', async () => {
    expect(await collect(replyOf(batches(EVENTS)))).toEqual({
      text: 'Let me see.',
      refusal: '',
      reasoning: [{ text: 'I should look.', signature: 's1' }, { text: 'Again.' }],
      toolCalls: [
        { id: 'a', name: 'one', arguments: '{"x":1}' },
        { id: 'b', name: 'two', arguments: '{}' },
      ],
      finish: FINISH,
    })
  })

  it('throws where a reply ends without a finish', async () => {
    await expect(collect(replyOf(batches(EVENTS.slice(0, -1))))).rejects.toMatchObject({
      code: 'PROVIDER_ERROR',
    })
  })

  it('gives the same answer however the deltas are cut', () => {
    const text = 'naïve 👋 text'
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length })), cuts => {
        const positions = [0, ...cuts.toSorted((a, b) => a - b), text.length]
        const events: ReplyEvent[] = []
        for (const [at, start] of positions.entries())
          append(events, { type: 'text-delta', text: text.slice(start, positions[at + 1]) })
        append(events, FINISH)
        expect(answerOf(events)?.text).toBe(text)
        expect(events).toHaveLength(2)
      }),
    )
  })
})

describe('transform', () => {
  const drained = async (change: Parameters<typeof transform>[1]) => {
    let closed = false
    async function* source() {
      try {
        for (const event of EVENTS) yield [event]
      } finally {
        closed = true
      }
    }
    const found: ReplyEvent[] = []
    for await (const group of transform(replyOf(source()), change).events) found.push(...group)
    return { found, closed }
  }

  it('passes on changed events, and skips groups of which nothing is left', async () => {
    const { found } = await drained(events => ({
      events: events.filter(({ type }) => type === 'text-delta'),
    }))
    expect(found).toHaveLength(2)
  })

  it('closes the source once a change ends the answer', async () => {
    const { found, closed } = await drained(() => ({ events: [FINISH], ends: true }))
    expect(found).toEqual([FINISH])
    expect(closed).toBe(true)
  })
})
