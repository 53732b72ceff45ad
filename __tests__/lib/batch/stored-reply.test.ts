import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itemOf, replyToText } from '#lib/batch/records/rows.ts'
import type { ItemReply } from '#lib/batch/types.ts'

const REPLY: ItemReply = {
  content: 'Hello',
  finishReason: 'stop',
  truncated: false,
  target: { provider: 'mock', model: 'echo', name: 'mock/echo' },
  usage: { inputTokens: 3, outputTokens: 4 },
  cache: 'miss',
}

const readBack = (answer: string): ItemReply | undefined =>
  itemOf(
    {
      item_id: 'a',
      place: 0,
      state: 'succeeded',
      attempts: 1,
      file: null,
      line: null,
      started_at: 1,
      ended_at: 2,
      answer,
      fault: null,
    },
    'completed',
  ).response

describe('the answer in the row of an item', () => {
  it('holds its cost in US dollars, as it always has: gateways of two versions may share the records', () => {
    expect(JSON.parse(replyToText({ ...REPLY, costPicoUsd: 12_300_000 }))).toEqual({
      ...REPLY,
      costUsd: 0.0000123,
    })
    expect(readBack(JSON.stringify({ ...REPLY, costUsd: 0.0000123 }))).toEqual({
      ...REPLY,
      costPicoUsd: 12_300_000,
    })
  })

  it('comes back as it was, with its cost to the picodollar', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e15 }), costPicoUsd => {
        expect(readBack(replyToText({ ...REPLY, costPicoUsd }))).toEqual({ ...REPLY, costPicoUsd })
      }),
    )
  })

  it.each([REPLY, { ...REPLY, costUsd: null }])('has no cost where it was unknown: %#', stored => {
    expect(readBack(JSON.stringify(stored))).toEqual(REPLY)
  })
})
