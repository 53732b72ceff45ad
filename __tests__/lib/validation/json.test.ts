import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { jsonInTurnsOrThrow, jsonOrThrow } from '#lib/validation/json.ts'

/** From this on a text is parsed in turns. */
const LARGE = 131_072
const PADDING = 'x'.repeat(70_000)
/** Long, and full of what JSON escapes, so that cuts fall everywhere in it. */
const ESCAPED = 'ab"\\\n\u0001é😀'.repeat(9_000)

const outcome = async (parse: () => unknown): Promise<unknown> => {
  try {
    return { value: await parse() }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { code: error.code, message: error.message, details: error.details }
  }
}

const expectTheSame = async (text: string): Promise<void> => {
  expect(text.length).toBeGreaterThan(LARGE)
  expect(await outcome(() => jsonInTurnsOrThrow(text))).toEqual(await outcome(() => jsonOrThrow(text)))
}

const many = (count: number, each: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => each(index)).join()

/** JSON values of which some are larger than what is parsed in one go. */
const { value: anything } = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 5 }, tie('leaf'), tie('array'), tie('object')),
  leaf: fc.oneof(
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(null, true, PADDING, ESCAPED),
  ),
  array: fc.array(tie('value'), { maxLength: 5 }),
  object: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(PADDING, ESCAPED)), tie('value'), {
    maxKeys: 5,
  }),
}))

describe('a large text', () => {
  it('keeps every digit of an id beyond 2^53, as a small one does', async () => {
    const items = many(10_000, index => `{"id":${9_007_199_254_740_993n + BigInt(index)},"prompt":"a"}`)
    await expectTheSame(`{"items":[${items}]}`)
    const { items: parsed } = (await jsonInTurnsOrThrow(`{"items":[${items}]}`)) as {
      items: { id: unknown }[]
    }
    expect(parsed[1]?.id).toBe('9007199254740994')
  })

  it('gives the value that JSON.parse gives', async () => {
    await fc.assert(
      fc.asyncProperty(anything, fc.constantFrom(0, 1, 2), async (value, indent) => {
        const text = JSON.stringify(
          { first: PADDING, value, between: [PADDING, [value]], last: 1 },
          null,
          indent,
        )
        await expectTheSame(text)
      }),
      { numRuns: 100 },
    )
  })

  it('is refused as JSON.parse would refuse it, in the same words, wherever a character is lost or added', async () => {
    const text = JSON.stringify({
      a: [1, { b: PADDING }, [], 'c:,"]'],
      d: { e: [PADDING], f: '\\"' },
      g: null,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: text.length - 1 }),
        fc.constantFrom('', ',', '[', ']', '{', '}', ':', '"', '\\', ' ', '1', '\u00a0', '\n'),
        fc.boolean(),
        async (at, put, fromEnd) => {
          // Most places are in the padding: the structure stands at the beginning and the end.
          const place = fromEnd ? text.length - 1 - (at % 60) : at % 40
          await expectTheSame(`${text.slice(0, place)}${put}${text.slice(place + 1)}`)
        },
      ),
      { numRuns: 500 },
    )
  })

  it.each([
    ['fields that come twice', `{"items":[${many(20_000, at => `{"n":${at}}`)},{"a":1,"a":2}]}`],
    ['a field named __proto__', `{"items":[${many(20_000, at => `{"n":${at}}`)},{"__proto__":1}]}`],
    ['a large field named __proto__', `{"__proto__":[${many(50_000, String)}],"a":1}`],
    ['nesting beyond 64 levels', `${'['.repeat(65)}"${PADDING}${PADDING}"${']'.repeat(65)}`],
    ['nesting of 64 levels', `${'['.repeat(64)}"${PADDING}${PADDING}"${']'.repeat(64)}`],
    ['an empty place in an array', `[${many(50_000, String)},,1]`],
    ['a comma at the end', `[${many(50_000, String)},]`],
    ['a comma at the beginning', `[,${many(50_000, String)}]`],
    ['two values', `[${many(50_000, String)}] []`],
    ['a byte order mark', `\ufeff[${many(50_000, String)}]`],
    ['a string alone', JSON.stringify(PADDING + PADDING)],
    ['a string without an end', `["${PADDING}${PADDING}`],
    ['brackets of two kinds', `[${many(50_000, String)}}`],
    ['white space alone in an array', `[${' '.repeat(2 * LARGE)}]`],
    ['nothing but white space', ' '.repeat(2 * LARGE)],
    ['a large value without a name', `{[${many(50_000, String)}]}`],
    ['a large value with two names', `{"a":1 "b":[${many(50_000, String)}]}`],
  ])('is treated like a small one: %s', (_, text) => expectTheSame(text))

  it.each([
    ['nested 65 deep', '['.repeat(65) + ']'.repeat(65), 'body: is nested deeper than 64 levels'],
    ['nested a million deep', '['.repeat(1_000_000), 'body: is nested deeper than 64 levels'],
    [
      'of an object with 200,000 fields',
      `{${many(200_000, at => `"k${at}":1`)}}`,
      'body: holds an object of more than 10,000 fields',
    ],
  ])('is refused before it costs much: one %s', async (_, text, message) => {
    expect(await outcome(() => jsonInTurnsOrThrow(text))).toMatchObject({ code: 'INVALID_INPUT', message })
  })
})
