import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { refusalInWords } from '../../validation/faults.ts'
import { jsonOrThrow } from '../../validation/json.ts'
import { type Draft, draftOfJson, type Finding } from './draft.ts'
import { JsonElements } from './json-elements.ts'
import type { FileKind, UploadedFile } from './limits.ts'
import { linesOf } from './lines.ts'

/** The longest line, row or text file: no item is that long. */
const MAX_ITEM_BYTES = 1_000_000
/** A JSON document that is read at once. */
const MAX_OBJECT_BYTES = 8_000_000
const NO_PROMPT = 'holds neither prompt nor messages, and there is no instruction'
/** Columns of a table that say something about its item, and are no part of its content. */
const ITEM_COLUMNS: ReadonlySet<string> = new Set(['id', 'model'])

type Reader = (file: UploadedFile, hasInstruction: boolean) => AsyncGenerator<Finding>

/** A file's text, portion by portion. */
async function* textOf(path: string): AsyncGenerator<string> {
  let isFirst = true
  for await (const portion of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    yield isFirst ? withoutMark(portion) : portion
    isFirst = false
  }
}

const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text)

const readWhole: Reader = async function* ({ path, bytes }) {
  if (bytes > MAX_ITEM_BYTES)
    return yield { fault: `is longer than ${MAX_ITEM_BYTES.toLocaleString('en')} bytes, and is one item` }
  const text = withoutMark(await readFile(path, 'utf8'))
  if (text.trim() === '') return
  yield { draft: { fields: { prompt: text } } }
}

/** A list, element by element. */
const readList: Reader = async function* ({ path }, hasInstruction) {
  const elements = new JsonElements(MAX_ITEM_BYTES)
  let index = 0
  for await (const portion of textOf(path))
    for (const { line, text } of elements.push(portion)) {
      const at = `[${index}]`
      index += 1
      yield text === undefined
        ? { line, at, fault: `is longer than ${MAX_ITEM_BYTES.toLocaleString('en')} characters` }
        : { line, at, ...findingOfLine(text, hasInstruction) }
    }
  elements.end()
}

/** An object whose `items` are a list. */
const readObject: Reader = async function* ({ path, bytes }, hasInstruction) {
  if (bytes > MAX_OBJECT_BYTES)
    return yield { fault: `is no list, and longer than ${MAX_OBJECT_BYTES.toLocaleString('en')} bytes` }
  const value = jsonOrThrow(withoutMark(await readFile(path, 'utf8')))
  const items = (value as { items?: unknown } | null)?.items
  if (!Array.isArray(items)) return yield { fault: 'must be an array of items, or an object with items' }
  for (const [index, item] of items.entries()) yield { at: `[${index}]`, ...findingOf(item, hasInstruction) }
}

const beginsList = async (path: string): Promise<boolean> => {
  for await (const portion of textOf(path)) {
    const first = portion.trimStart()[0]
    if (first !== undefined) return first === '['
  }
  return false
}

const readJson: Reader = async function* (file, hasInstruction) {
  try {
    yield* (await beginsList(file.path)) ? readList(file, hasInstruction) : readObject(file, hasInstruction)
  } catch (thrown) {
    yield { fault: thrown instanceof SyntaxError ? thrown.message : refusalInWords(thrown) }
  }
}

const findingOf = (value: unknown, hasInstruction: boolean) => {
  try {
    const draft = draftOfJson(value, hasInstruction)
    return draft ? { draft } : { fault: NO_PROMPT }
  } catch (thrown) {
    return { fault: refusalInWords(thrown) }
  }
}

const findingOfLine = (text: string, hasInstruction: boolean) => {
  try {
    return findingOf(jsonOrThrow(text), hasInstruction)
  } catch (thrown) {
    return { fault: refusalInWords(thrown) }
  }
}

const readJsonLines: Reader = async function* ({ path }, hasInstruction) {
  for await (const found of linesOf(createReadStream(path), MAX_ITEM_BYTES))
    yield 'fault' in found ? found : { line: found.line, ...findingOfLine(found.text, hasInstruction) }
}

/**
 * A row below its header. `id` and `model` are the item's own where they are filled in. Without an instruction,
 * `prompt` is the prompt; with one, the other columns stand below it as `column: value`.
 */
const draftOfRow = (
  header: readonly string[],
  row: readonly string[],
  hasInstruction: boolean,
): Draft | undefined => {
  const cells = header.map((column, index) => [column, row[index] ?? ''] as const)
  const own = Object.fromEntries(cells.filter(([column, cell]) => ITEM_COLUMNS.has(column) && cell !== ''))
  if (!hasInstruction) {
    const prompt = cells.find(([column]) => column === 'prompt')?.[1]
    return prompt === undefined ? undefined : { fields: { ...own, prompt } }
  }
  const content = cells.filter(([column]) => !ITEM_COLUMNS.has(column)).map(cell => cell.join(': '))
  return { fields: { ...own, prompt: content.join('\n') } }
}

const headerFault = (header: readonly string[]): string | undefined => {
  if (header.includes('')) return 'the header holds a column without a name'
  if (new Set(header).size < header.length) return 'the header names a column twice'
  return undefined
}

const newlinesIn = (row: readonly string[]): number =>
  row.reduce((count, cell) => count + cell.split('\n').length - 1, 0)

const isBlank = (row: readonly string[]): boolean => row.length === 1 && row[0]?.trim() === ''

const findingOfRow = (header: readonly string[], row: readonly string[], hasInstruction: boolean) => {
  if (row.length !== header.length)
    return { fault: `has ${row.length} cells, the header has ${header.length}` }
  const draft = draftOfRow(header, row, hasInstruction)
  return draft ? { draft } : { fault: 'has no column prompt, and there is no instruction' }
}

const readTable: Reader = async function* ({ path }, hasInstruction) {
  const rows: AsyncIterable<string[]> = pipeline(
    createReadStream(path),
    parse({ bom: true, relax_column_count: true, max_record_size: MAX_ITEM_BYTES }),
    // Whoever reads the rows is told of it.
    () => {},
  )
  let header: readonly string[] | undefined
  let next = 1
  try {
    for await (const row of rows) {
      const line = next
      next += 1 + newlinesIn(row)
      if (isBlank(row)) continue
      if (header) {
        yield { line, ...findingOfRow(header, row, hasInstruction) }
        continue
      }
      header = row.map(column => column.trim())
      const fault = headerFault(header)
      if (fault) return yield { line, fault }
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    yield { line: next, fault: `is no valid CSV from here on (${cause.code})` }
  }
}

const READERS: Readonly<Record<FileKind, Reader>> = {
  text: readWhole,
  markdown: readWhole,
  csv: readTable,
  json: readJson,
  jsonl: readJsonLines,
}

/** What stands in a file, in its order: one item for a text, one for each row, entry or line of the others. */
export const findingsIn: Reader = (file, hasInstruction) => READERS[file.kind](file, hasInstruction)
