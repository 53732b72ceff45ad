import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertJsonSyntax, isJsonText } from '#lib/validation/json-syntax.ts'

const isParsed = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

describe('the syntax of JSON that is kept as it is', () => {
  it.each([
    '{"__proto__":{"x":1}}',
    '{"a":1,"a":2}',
    ' [ ] ',
    '{ }',
    '"\\ud800 \\u0000"',
    '-0.5e+7',
    'null',
    '[1,[],{},{"a":[{"b":null}]}]',
    nested(1_000),
    `{${Array.from({ length: 20_000 }, (_, at) => `"k${at}":${at}`).join()}}`,
  ])('is right: %.40s', async text => {
    expect(isParsed(text)).toBe(true)
    await assertJsonSyntax(text)
  })

  it.each([
    ...[
      '',
      ' ',
      '[',
      ']',
      '{',
      '}',
      '[}',
      '{]',
      '[1,]',
      '[,1]',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{1:2}',
      '{,}',
    ],
    ...[
      '01',
      '1.',
      '.5',
      '+1',
      '-',
      '1e',
      'nul',
      'nulls',
      'truefalse',
      '1 2',
      '[1 2]',
      '"a" "b"',
      '[]]',
      '{}}',
    ],
    ...['"', '"a', '"\\x"', '"\\u12"', '"\n"', "'a'", '[1],', '{"a":1 "b":2}', '{"a"::1}', 'NaN', '\u00a01'],
  ])('is wrong, with its position: %j', async text => {
    expect(isParsed(text)).toBe(false)
    await expect(assertJsonSyntax(text)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^body: is not valid JSON at character \d+$/),
    })
  })

  it('is refused beyond 1,000 levels, and 500,000 of them are no effort', async () => {
    for (const text of [nested(1_001), nested(500_000), `${'{"a":'.repeat(1_001)}1`])
      await expect(assertJsonSyntax(text)).rejects.toMatchObject({
        message: 'body: is nested deeper than 1000 levels',
      })
  })

  it.each(['x', '\\n', '\\\\', '\\u00e9'])(
    'is judged as JSON.parse does within a long string of %s',
    async piece => {
      for (const before of ['', 'a', 'ab'])
        for (const wrong of ['', '\\x', '\\', '\n', '\\u12'])
          for (const after of ['', 'x'.repeat(70_000)]) {
            const text = `{"a":"${before}${piece.repeat(100_000)}${wrong}${after}","b":1}`
            expect(await isJsonText(text)).toBe(isParsed(text))
          }
    },
  )

  it('is judged as JSON.parse does, also where a character was changed', async () => {
    const changed = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', ':', '"', '[', '}', '\\', '0', 'e', ' ', '\n', '-'),
      )
      .map(([text, place, put]) => {
        const at = place % (text.length + 1)
        return text.slice(0, at) + put + text.slice(at + (place % 2))
      })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), changed), async text => {
        expect(await isJsonText(text)).toBe(isParsed(text))
      }),
      { numRuns: 2_000 },
    )
  })
})
