import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atOnce } from '#lib/loop-turns.ts'
import { hasLongText, pack, unpack } from '#lib/storage/records/sqlite/long-texts.ts'

const LONG = 1_100_000
/** A message as the other thread receives it. */
const moved = <Message>(message: Message): Message => {
  const { packed, buffers } = atOnce(pack(message))
  return structuredClone(packed, { transfer: [...buffers] })
}

describe('long texts of messages between threads', () => {
  it('arrive as they were, wherever their portions end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(9), (unit, start) => {
        const text = ('x'.repeat(start) + unit.repeat(Math.ceil(LONG / unit.length))).toWellFormed()
        const message = { statements: [{ sql: 'insert', parameters: [1, null, text, 'short'] }], id: 3 }
        expect(hasLongText(message)).toBe(true)
        expect(atOnce(unpack(moved(message)))).toEqual(message)
      }),
      { numRuns: 20 },
    )
  })

  it('keep the byte order marks that they hold', () => {
    const message = { text: '\ufeffa'.repeat(LONG / 2) }
    expect(atOnce(unpack(moved(message)))).toEqual(message)
  })

  it('are moved, not copied', () => {
    const { packed, buffers } = atOnce(pack({ text: 'x'.repeat(LONG) }))
    structuredClone(packed, { transfer: [...buffers] })
    expect(buffers.length).toBeGreaterThan(1)
    for (const { byteLength } of buffers) expect(byteLength).toBe(0)
  })

  it('are taken for what they are, and bytes and short texts for what they are', () => {
    const message = { rows: [{ id: 'a', data: new Uint8Array(LONG), size: 1n, at: null }] }
    expect(hasLongText(message)).toBe(false)
    const { packed, buffers } = atOnce(pack(message))
    expect([packed, buffers]).toEqual([message, []])
  })
})
