import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Element, JsonElements } from '#lib/batch/intake/json-elements.ts'

const elementsOf = (portions: readonly string[], longest = 1_000_000): Element[] => {
  const elements = new JsonElements(longest)
  const found = portions.flatMap(portion => elements.push(portion))
  elements.end()
  return found
}

const cut = (text: string, cuts: readonly number[]): string[] => {
  const ends = [...cuts.filter(end => end < text.length).toSorted((a, b) => a - b), text.length]
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end))
}

describe('the elements of a list', () => {
  it('are found wherever its text is cut, however it is laid out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.nat(300), { maxLength: 20 }),
        (list, space, cuts) => {
          const found = elementsOf(cut(` ${JSON.stringify(list, null, space)}\n`, cuts))
          expect(found.map(({ text }) => JSON.parse(text ?? ''))).toEqual(JSON.parse(JSON.stringify(list)))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('know their lines, and do without a text that is too long', () => {
    const text = '[\n1,\n  {"a":\n 2},\n\n"long long"]'
    expect(elementsOf([text])).toEqual([
      { line: 2, text: '1' },
      { line: 3, text: '{"a":\n 2}' },
      { line: 6, text: '"long long"' },
    ])
    expect(elementsOf([text], 8).map(({ text: found }) => found)).toEqual(['1', undefined, undefined])
  })

  it.each(['', '[', '[1', '[1,', '[1,]', '[,1]', '1]', '[1] 2', '[1}', '["a]', '{"a":[1]}'])(
    'are not those of %j',
    text => {
      expect(() => elementsOf([text]).map(({ text: found }) => JSON.parse(found ?? ''))).toThrow(SyntaxError)
    },
  )
})
