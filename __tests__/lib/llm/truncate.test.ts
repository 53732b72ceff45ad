import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutToBytes, truncate } from '#lib/llm/truncate.ts'
import { batches, collect, newCall, replyOf, text } from '../../support/calls.ts'

const FINISH = { type: 'finish', reason: 'stop' } as const

describe('cutToBytes', () => {
  it('cuts at the last character that fits whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (value, maxBytes) => {
        const cut = cutToBytes(value, maxBytes)
        expect(value.startsWith(cut)).toBe(true)
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(maxBytes)
        const [next = ''] = value.slice(cut.length)
        if (next !== '')
          expect(
            Buffer.byteLength(cut + String.fromCodePoint(value.codePointAt(cut.length) ?? 0)),
          ).toBeGreaterThan(maxBytes)
      }),
    )
  })
})

describe('truncate', () => {
  it('passes on an answer that is exactly as long as allowed', async () => {
    const reply = await truncate()(newCall({ maxResponseBytes: 4 }), async () =>
      replyOf(batches(text('ab', 'cd'), [FINISH])),
    )
    expect(await collect(reply)).toEqual([...text('ab', 'cd'), FINISH])
  })

  it('ends a longer one with length and truncated, and leaves the upstream', async () => {
    let left = false
    const source = (async function* () {
      try {
        for (;;) yield text('abc')
      } finally {
        left = true
      }
    })()
    const reply = await truncate()(newCall({ maxResponseBytes: 5 }), async () => replyOf(source))
    expect(await collect(reply)).toEqual([
      ...text('abc', 'ab'),
      { type: 'finish', reason: 'length', truncated: true },
    ])
    expect(left).toBe(true)
  })

  it.each([
    ['an anonymous caller', { kind: 'anonymous', address: '192.0.2.1' }, 'ab'],
    ['a guest', { kind: 'guest', id: 'ada', address: '192.0.2.1' }, 'abcd'],
    ['a key', { kind: 'key', id: 'k1', name: 'CI', role: 'member', address: '192.0.2.1' }, 'abcde'],
  ] as const)('has a limit of its own for %s', async (_, caller, kept) => {
    const call = newCall({ caller, maxResponseBytes: { anonymous: 2, guest: 4, key: 5 } })
    const reply = await truncate()(call, async () => replyOf(batches(text('abcdef'), [FINISH])))
    expect(await collect(reply)).toEqual([
      ...text(kept),
      { type: 'finish', reason: 'length', truncated: true },
    ])
  })

  it('leaves the upstream also when no client reads', async () => {
    let left = false
    const events = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          left = true
          return { done: true as const, value: undefined }
        },
      }),
    }
    const reply = await truncate()(newCall({ maxResponseBytes: 5 }), async () => replyOf(events))
    await reply.events[Symbol.asyncIterator]().return?.()
    expect(left).toBe(true)
  })
})
