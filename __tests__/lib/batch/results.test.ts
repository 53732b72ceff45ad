import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resultsAsCsv, resultsAsJsonl, unguarded } from '#lib/batch/results.ts'
import type { Item } from '#lib/batch/types.ts'

const answered = (content: string, more: Partial<Item> = {}): Item => ({
  id: 'a',
  index: 0,
  state: 'succeeded',
  attempts: 1,
  source: { file: 'a.csv', line: 2 },
  response: {
    content,
    finishReason: 'stop',
    truncated: false,
    target: { provider: 'mock', model: 'm', name: 'mock' },
    usage: { inputTokens: 3, outputTokens: 0 },
    cache: 'miss',
    costPicoUsd: 250_000_000_000,
  },
  ...more,
})

const failed: Item = {
  id: 'b',
  index: 1,
  state: 'failed',
  attempts: 2,
  fault: { code: 'TIMEOUT', message: 'Too late.', retryable: true },
}

async function* streamOf(...items: readonly Item[]) {
  yield* items
}

const textOf = async (pieces: AsyncIterable<string>): Promise<string> => {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

const tableOf = async (...items: readonly Item[]): Promise<Record<string, string>[]> =>
  parse(await textOf(resultsAsCsv(streamOf(...items))), { bom: true, columns: true })

describe('results as JSON lines', () => {
  it('say what was answered and what failed, with null for an unknown cost', async () => {
    const text = await textOf(resultsAsJsonl(streamOf(answered('two\nlines'), failed)))
    expect(
      text
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual([
      {
        id: 'a',
        index: 0,
        state: 'succeeded',
        content: 'two\nlines',
        finishReason: 'stop',
        truncated: false,
        model: 'mock',
        provider: 'mock',
        usage: { inputTokens: 3, outputTokens: 0 },
        costUsd: 0.25,
        cache: 'miss',
        file: 'a.csv',
        line: 2,
      },
      {
        id: 'b',
        index: 1,
        state: 'failed',
        costUsd: null,
        error: { code: 'TIMEOUT', message: 'Too late.', retryable: true },
      },
    ])
  })
})

describe('results as a table', () => {
  it('begin with a byte order mark, quote texts, and leave numbers as they are', async () => {
    const text = await textOf(resultsAsCsv(streamOf(answered('x'))))
    expect(text).toMatch(/^\ufeff"id","index",/)
    expect(text).toContain('"a",0,"succeeded","x","stop","mock","mock",3,0,0.25,"miss",,,"a.csv",2\r\n')
  })

  it('leave a number as it is, also below zero, and guard a text that looks like one', async () => {
    const text = await textOf(resultsAsCsv(streamOf(answered('-5', { index: -5 }))))
    expect(text).toContain('"a",-5,"succeeded","\'-5",')
  })

  it('tell a failure, and leave what is unknown empty', async () => {
    expect(await tableOf(failed)).toMatchObject([
      { errorCode: 'TIMEOUT', costUsd: '', content: '', line: '' },
    ])
  })

  it('come back as they were, but for the quote before what would be a formula', async () => {
    const beginning = fc.constantFrom(
      '',
      '=',
      '+',
      '-',
      '@',
      '\t',
      '\r',
      '＝',
      '＋',
      '－',
      '＠',
      '|',
      '%',
      '＝1',
      '｜',
      '％',
      '\ufe62',
      '\ufe63',
      '\ufe66',
      '\ufe6a',
      '\ufe6b',
      ' =',
      '\u00a0=',
      '\u00ad+',
      '\u200b-',
      '\u200d@',
      '\u2060=',
      '\u202e=',
      '\u2066|',
      '\u3000=',
      '\u3164=',
      '\ufeff=',
      '\ufe0f%',
      '\u0000=',
      "'=",
      "''\u200b=",
      '"',
      ',',
      '\n',
    )
    await fc.assert(
      fc.asyncProperty(beginning, fc.string({ unit: 'grapheme' }), async (first, rest) => {
        const content = first + rest
        const [row] = await tableOf(answered(content, { id: content }), failed)
        for (const cell of [row?.content ?? '', row?.id ?? '']) {
          expect(cell).not.toMatch(/^[=+\-@\t\r＝＋－＠|%｜％\ufe62\ufe63\ufe66\ufe6a\ufe6b]/)
          expect(cell).not.toMatch(/^[\s\0\p{Cf}\p{Default_Ignorable_Code_Point}]+[=+\-@＝＋－＠|%｜％]/u)
          expect([content, `'${content}`]).toContain(cell)
          expect(unguarded(cell)).toBe(content)
          if (/^[a-z0-9]/i.test(content)) expect(cell).toBe(content)
        }
      }),
    )
  })
})
