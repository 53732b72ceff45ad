import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLong, isLongerThan, readJsonString, writeJson } from '#lib/long-json.ts'
import { atOnce } from '#lib/loop-turns.ts'

/** What is read or written in one step. */
const PORTION = 65_536
const UNITS = ['a', '\\', '"', '\n', 'é', '\u0001', '🎉', '\ud83d', '\ude00', '\\\\\\', 'u0041']

/** Texts of more than a portion, at whose end all kinds of escapes stand. */
const longTexts = fc
  .tuple(
    fc.integer({ min: 0, max: 40 }),
    fc.array(fc.constantFrom(...UNITS), { minLength: 1, maxLength: 60 }),
  )
  .map(([before, units]) => 'x'.repeat(PORTION - before) + units.join(''))

const written = (text: string): string => JSON.stringify(text).slice(1, -1)
/** A JSON text with each of the string's characters as an escape. */
const escaped = (text: string): string =>
  Array.from(
    { length: text.length },
    (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')

const stepsOf = (steps: Generator): number => {
  let count = 0
  while (!steps.next().done) count += 1
  return count
}

describe('a JSON string', () => {
  it.each([
    ['short', 'a\n"b"'],
    ['empty', ''],
    ['long, without escapes', 'x'.repeat(200_000)],
    ['long, of backslashes', '\\'.repeat(100_001)],
    ['long, of line breaks', '\n'.repeat(100_001)],
    ['long, of pairs', `a${'🎉'.repeat(50_000)}`],
  ])('that is %s is read and written', (_, text) => {
    expect(atOnce(readJsonString(written(text)))).toBe(text)
    expect(atOnce(readJsonString(escaped(text)))).toBe(text)
    expect(atOnce(writeJson(text))).toBe(JSON.stringify(text))
  })

  it('is read and written whatever stands where a portion ends', () => {
    fc.assert(
      fc.property(longTexts, text => {
        expect(atOnce(readJsonString(written(text)))).toBe(text)
        expect(atOnce(writeJson(text))).toBe(JSON.stringify(text))
      }),
    )
  })

  it.each(['\\x', '\\u00g0', 'a\u0000\\n', `${'x'.repeat(100_000)}\\`, `\\n${'x'.repeat(100_000)}\t`])(
    'that is invalid is refused',
    invalid => {
      expect(() => atOnce(readJsonString(invalid))).toThrow(SyntaxError)
    },
  )

  it('is read and written in steps of a portion', () => {
    const text = '\n'.repeat(10 * PORTION)
    expect(stepsOf(readJsonString(written(text)))).toBeGreaterThanOrEqual(20)
    expect(stepsOf(writeJson(text))).toBeGreaterThanOrEqual(10)
  })
})

/** Values of all kinds, some of which are longer than a portion. */
const values = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>('', 'a"b', 1.5, true, null, [], {}),
    longTexts,
    fc.constant(Array.from({ length: 20_000 }, (_, at) => at)),
    fc.constant(Array.from({ length: 5_000 }, (_, at) => ({ role: 'user', content: `Message ${at}` }))),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b"', '__proto__', '7', 'content'), tie('value'), { maxKeys: 4 }),
    fc.record({ a: tie('value'), absent: fc.constant(undefined), b: tie('value') }),
  ),
})).value

describe('a value', () => {
  it('is written as JSON.stringify writes it', () => {
    fc.assert(
      fc.property(values, value => {
        expect(atOnce(writeJson(value))).toBe(JSON.stringify(value))
      }),
    )
  })

  it.each([
    ['a long text', { messages: [{ role: 'user', content: 'x'.repeat(10 * PORTION) }] }, 10],
    [
      'many messages',
      { messages: Array.from({ length: 50_000 }, () => ({ role: 'user', content: 'Hello' })) },
      10,
    ],
    ['a short text', { messages: [{ role: 'user', content: 'Hello' }] }, 0],
  ])('with %s is written in steps of a portion', (_, value, least) => {
    expect(stepsOf(writeJson(value))).toBeGreaterThanOrEqual(least)
    expect(isLong(value)).toBe(least > 0)
  })
})

describe('how long a value is as JSON', () => {
  it.each<[unknown]>([['"'.repeat(100)], [[[[]], [1, 2], {}]], [{ name: 'a', list: [null, true, 1.5] }]])(
    'is known to the character: %j',
    value => {
      const { length } = JSON.stringify(value)
      expect([isLongerThan(value, length), isLongerThan(value, length - 1)]).toEqual([false, true])
    },
  )

  it('is known without writing it where it is far too long', () => {
    const unwritable = {
      toJSON: () => {
        throw new Error('was written')
      },
    }
    expect(isLongerThan([unwritable, 'x'.repeat(3_000)], 1_000)).toBe(true)
  })
})
