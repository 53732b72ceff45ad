import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { delimiterOf, type Row, Rows } from '#lib/batch/intake/rows.ts'

const rowsIn = (portions: readonly string[]): Row[] => {
  const rows = new Rows()
  return [...portions.flatMap(portion => [...rows.push(portion)]), ...rows.end()]
}

const cut = (text: string, cuts: readonly number[]): string[] => {
  const ends = [...cuts.filter(end => end < text.length).toSorted((a, b) => a - b), text.length]
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end))
}

const cell = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\t', '\r', '\n', '\r\n', ' ', 'é', '🎉') }),
  fc.constantFrom('', ' ', 'x', '""', 'sep=;'),
)
const tables = fc
  .tuple(fc.integer({ min: 2, max: 5 }), fc.array(fc.array(cell, { minLength: 5, maxLength: 5 })))
  .map(([width, rows]) => [
    Array.from({ length: width }, (_, at) => `c${at}`),
    ...rows.map(row => row.slice(0, width)),
  ])
const cuts = fc.array(fc.nat(200), { maxLength: 10 })

describe('the rows of a table', () => {
  it('are those that another reader finds, wherever its text is cut, in the lines where they begin', () => {
    fc.assert(
      fc.property(
        tables,
        fc.constantFrom(',', ';', '\t'),
        fc.constantFrom<'unix' | 'windows' | 'mac'>('unix', 'windows', 'mac'),
        cuts,
        (table, delimiter, record_delimiter, places) => {
          const text = stringify(table, { delimiter, record_delimiter, quoted: true })
          const found = rowsIn(cut(text, places))
          const expected: string[][] = parse(text, { delimiter, relax_column_count: true })
          const full = expected.filter(cells => cells.some(one => one.trim() !== ''))
          expect(found.map(row => ('cells' in row ? row.cells : row.fault))).toEqual(full)
          const lines = text.split(/\r\n|\n|\r/)
          for (const row of found)
            if ('cells' in row) expect(lines[row.line - 1]).toContain(`"${row.cells[0]?.split(/[\r\n"]/)[0]}`)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('are the same wherever any text is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\r', '\n', ' ') })
    fc.assert(
      fc.property(text, cuts, (whole, places) => {
        expect(rowsIn(cut(whole, places))).toEqual(rowsIn([whole]))
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['a,b', ','],
    ['a;b', ';'],
    ['a\tb', '\t'],
    ['a', ','],
    ['"a;b;c",d', ','],
    ['a;"b,c,d";e', ';'],
  ])('are parted in %j by %j', (header, delimiter) => {
    expect(delimiterOf(header)).toBe(delimiter)
  })

  it.each<[string, string, RegExp]>([
    ['2 million blank lines', '\n'.repeat(2_000_000), /after 1,048,576 rows without content/],
    ['2 million rows of commas', `a,b\n${',,,\n'.repeat(2_000_000)}`, /after 1,048,576 rows/],
    ['a row of 2 million commas', `a,b\n${','.repeat(2_000_000)}`, /longer than 1,000,000 characters/],
    ['a quote never closed', `a\n"${'x\n'.repeat(1_000_000)}`, /longer than 1,000,000 characters/],
    ['a last quote never closed', 'a\n"x', /a quote is never closed/],
  ])('end in less than 3 s with %s', (_, text, message) => {
    const begun = process.cpuUsage()
    const portions = Array.from({ length: Math.ceil(text.length / 16_384) }, (_, at) =>
      text.slice(at * 16_384, (at + 1) * 16_384),
    )
    expect(rowsIn(portions).at(-1)).toMatchObject({ fault: expect.stringMatching(message) })
    const { user, system } = process.cpuUsage(begun)
    expect((user + system) / 1e6).toBeLessThan(3)
  })
})
