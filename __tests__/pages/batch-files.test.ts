import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findingsIn } from '#lib/batch/intake/read-file.ts'
import { estimate, estimateAsWords } from '../../app/(console)/batch/intake/estimate.ts'
import { bytes, fileFault, filesFault } from '../../app/(console)/batch/intake/files.ts'
import { readingOf } from '../../app/(console)/batch/intake/reading.ts'

describe('the files of a batch', () => {
  it('are known by their extension, however it is written', () => {
    for (const name of ['a.txt', 'a.md', 'a.CSV', 'a.b.Json', '.jsonl'])
      expect(fileFault({ name, size: 1 }), name).toBeUndefined()
    for (const name of ['a.png', 'a', 'txt', 'a.txt.exe', 'a.jsonlines'])
      expect(fileFault({ name, size: 1 }), name).toMatch(/^Not a /)
  })

  it('have at least one byte and at most 50 MB', () => {
    expect(fileFault({ name: 'a.txt', size: 0 })).toBe('This file is empty')
    expect(fileFault({ name: 'a.txt', size: 50_000_000 })).toBeUndefined()
    expect(fileFault({ name: 'a.txt', size: 50_000_001 })).toBe('Larger than 50 MB')
  })

  it('are at most 50, and 100 MB together', () => {
    const file = { name: 'a.txt', size: 2_000_000 }
    expect(filesFault(Array.from({ length: 50 }, () => file))).toBeUndefined()
    expect(filesFault(Array.from({ length: 52 }, () => file))).toBe(
      '52 files are chosen, but a batch takes at most 50. Remove 2.',
    )
    const larger = { ...file, size: 2_100_000 }
    expect(filesFault(Array.from({ length: 50 }, () => larger))).toMatch(/^The files are 105 MB together/)
  })

  it('have a size that can be read at a glance', () => {
    expect([1, 999, 1_000, 3_440, 12_345, 50_000_000].map(bytes)).toEqual([
      '1 byte',
      '999 bytes',
      '1 kB',
      '3.4 kB',
      '12 kB',
      '50 MB',
    ])
  })
})

describe('reading a file', () => {
  const read = (name: string, content: string | Uint8Array<ArrayBuffer>) =>
    readingOf(new File([content], name))

  it.each([
    ['text, as one item', 'a.txt', 'one\ntwo\n', 1],
    ['Markdown, as one item', 'a.md', '# one\n\ntwo', 1],
    ['the rows of a CSV below its header', 'a.csv', 'id,prompt\r\n1,Hello\r\n2,Bye\r\n', 2],
    ['the rows parted by semicolons', 'a.csv', 'id;prompt\n1;"Hello;\nyou"\n2;Bye, then\n', 2],
    ['the rows parted by tabs', 'a.csv', 'id\tprompt\n1\t"Hello\tyou\n\n"\n2\tBye, then', 2],
    ['the rows below sep=', 'a.csv', 'sep=;\r\nid;prompt\r\n1;"Hello\r\nyou"\r\n2;Bye\r\n', 2],
    ['no rows without content', 'a.csv', 'id;prompt\n1;Hello\n;\n\n;;\n', 1],
    ['quoted cells of several lines once', 'a.csv', 'prompt\n"one\ntwo\n\nthree"\n"four"\n', 2],
    ['a quote in the middle of a cell as itself', 'a.csv', 'id;prompt\n1;6" long\n2;Bye\n', 2],
    ['old line breaks', 'a.csv', 'id\tprompt\r1\tHello\r2\tBye\r', 2],
    ['a header alone as nothing', 'a.csv', 'id;prompt\n', 0],
    ['the lines of JSONL that are not blank', 'a.jsonl', '{}\n\n  \n{}\n{}', 3],
    ['the entries of a JSON array', 'a.json', '[1,\n2,\n3]', 3],
    ['the items of a JSON object', 'a.json', '{"items":[1,2]}', 2],
    ['any other JSON, as one item', 'a.json', '{"prompt":"Hello"}', 1],
    ['broken JSON, as one item', 'a.json', '{"prom', 1],
  ])('counts %s', async (_, name, content, items) => {
    expect(await read(name, content)).toEqual({ characters: content.length, items })
  })

  it('counts a list in JSON of more than 5 MB, entry by entry', async () => {
    const content = JSON.stringify(Array.from({ length: 600 }, () => ({ prompt: 'x'.repeat(10_000) })))
    expect(await read('a.json', content)).toEqual({ characters: content.length, items: 600 })
  })

  it.each([
    ['lines', 'a.jsonl', '{"prompt":"One","model":"a"}\n{"prompt":"Two"}\n{"prompt":"the \\"model\\""}\n'],
    ['a list', 'a.json', '[{"prompt":"One","model":"a"},{"prompt":"Two"},"Three"]'],
    ['an object with a list', 'a.json', '{"model":"x","items":[{"prompt":"One","model":"a"},"Two","Three"]}'],
    ['a table', 'a.csv', 'prompt;Model\nOne;a\nTwo;\nThree;nan\n'],
  ])('knows which rows of %s name their own model', async (_, name, content) => {
    const reading = await read(name, content)
    expect(reading?.items).toBe(3)
    expect(reading?.own).toMatchObject([{ model: 'a', items: 1, instructed: true }])
  })

  it('knows the models of lines in OpenAI’s format, which take no instruction', async () => {
    const line = '{"custom_id":"1","url":"/v1/chat/completions","body":{"model":"b","messages":[]}}'
    expect((await read('a.jsonl', line))?.own).toEqual([
      { model: 'b', characters: line.length, items: 1, instructed: false },
    ])
  })

  it('counts a line once that comes in many pieces', async () => {
    const content = `${'x'.repeat(300_000)}\n${'y'.repeat(300_000)}`
    expect(await read('a.jsonl', content)).toEqual({ characters: 600_001, items: 2 })
  })

  it('counts a row once that comes in many pieces', async () => {
    const row = `1;"${'x\n'.repeat(200_000)}"\r\n`
    const content = `id;prompt\r\n${row}${row}`
    expect(await read('a.csv', content)).toEqual({ characters: content.length, items: 2 })
  })

  it.each([
    ['commas', 'id,prompt\n1,"one;\ntwo"\n2,three\n'],
    ['semicolons', 'id;prompt\n1;"one,\ntwo"\n2;three\n'],
    ['tabs', 'id\tprompt\n1\t"one,\ntwo"\n2\tthree\n'],
    ['a first line sep=|', 'sep=|\nid|prompt\n1|"one,\ntwo"\n2|three\n'],
  ])('comes to as many items as the gateway makes of a table of %s', async (_, content) => {
    const path = join(mkdtempSync(join(tmpdir(), 'reading-')), 'a.csv')
    writeFileSync(path, content)
    const file = { name: 'a.csv', path, kind: 'csv', bytes: Buffer.byteLength(content) } as const
    let items = 0
    for await (const found of findingsIn(file, false)) if ('draft' in found) items += 1
    expect((await read('a.csv', content))?.items).toBe(items)
    expect(items).toBe(2)
  })

  it('counts characters, not bytes', async () => {
    expect(await read('a.txt', 'Grüße')).toEqual({ characters: 5, items: 1 })
  })

  it('finds nothing where the bytes are no UTF-8', async () => {
    expect(await read('a.txt', new Uint8Array([0x63, 0xe9, 0x20]))).toBeUndefined()
    expect(await read('a.txt', new Uint8Array([0x63, 0xe2, 0x82]))).toBeUndefined()
  })
})

describe('the estimate', () => {
  const at = (inputUsdPerMillion: number | null | undefined) => ({
    chosen: inputUsdPerMillion === undefined ? undefined : { inputUsdPerMillion },
    named: () => undefined,
  })
  const readings = [
    { characters: 4_000, items: 3 },
    { characters: 400, items: 1 },
  ]

  it('takes four characters for a token, and the instruction along with every item', () => {
    expect(estimate(readings, '', at(undefined)).tokens).toBe(1_100)
    expect(estimate(readings, ' 12345678 ', at(undefined))).toMatchObject({ items: 4, tokens: 1_108 })
  })

  it('knows no price where the catalog has none, which is not the same as nothing', () => {
    expect(estimate(readings, '', at(null)).costUsd).toBeNull()
    expect(estimate(readings, '', at(0)).costUsd).toBe(0)
    expect(estimate(readings, '', at(10)).costUsd).toBeCloseTo(0.011)
  })

  it('prices each row by its own model: 300 tokens at $10 and 100 at $1 are $0.0031', () => {
    const own = [{ model: 'dear', characters: 1_200, items: 1, instructed: true }]
    const reading = { characters: 1_600, items: 3, own }
    const prices = { chosen: { inputUsdPerMillion: 1 }, named: () => ({ inputUsdPerMillion: 10 }) }
    expect(estimate([reading], '', prices)).toMatchObject({ items: 3, tokens: 400, unpriced: [] })
    expect(estimate([reading], '', prices).costUsd).toBeCloseTo(0.0031)
    expect(estimate([reading], '12345678', prices).tokens).toBe(406)
  })

  it('is unknown where the price of one row is, and never the sum of the others', () => {
    const own = [{ model: 'secret', characters: 400, items: 1, instructed: false }]
    const named = estimate([{ characters: 800, items: 2, own }], '', at(1))
    expect(named).toMatchObject({ costUsd: null, unpriced: ['secret'] })
    expect(estimateAsWords(named)).toBe('About 2 items, 200 input tokens, price unknown (secret)')
    const onlyOwn = { characters: 400, items: 1, own }
    const prices = { chosen: undefined, named: () => ({ inputUsdPerMillion: 10 }) }
    expect(estimate([onlyOwn], '', prices).costUsd).toBeCloseTo(0.001)
  })

  it('is shown as an approximation', () => {
    expect(estimateAsWords({ items: 1, tokens: 3_400, costUsd: null, unpriced: [] })).toBe(
      'About 1 item, 3,400 input tokens, price unknown',
    )
    expect(estimateAsWords({ items: 12, tokens: 1, costUsd: 0.0123, unpriced: [] })).toContain(
      'about $0.0123; answers cost',
    )
    expect(estimateAsWords({ items: 12, tokens: 1, costUsd: 0.00001, unpriced: [] })).toContain(
      'less than $0.01;',
    )
    expect(estimateAsWords({ items: 12, tokens: 1, costUsd: 0, unpriced: [] })).toContain('about $0;')
  })
})
