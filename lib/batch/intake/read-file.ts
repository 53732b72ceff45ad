import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { jsonOrThrow } from '../../validation/json.ts'
import { requirement } from '../../validation/zod.ts'
import { draftOfJson, type Finding, type Found } from './draft.ts'
import { type Element, JsonElements, NO_LIST } from './json-elements.ts'
import type { FileKind, UploadedFile } from './limits.ts'
import { linesOf } from './lines.ts'
import { namesInWords } from './notices.ts'
import { type Row, Rows } from './rows.ts'
import { Table } from './table.ts'

/** The longest line, row or text file: no item is that long. */
const MAX_ITEM_BYTES = 1_000_000
/** Bytes of a table that are read at once: each of them may be a row. */
const TABLE_BYTES = 16_384
const NO_PROMPT = 'needs "prompt" or "messages"'
type Reader = (file: UploadedFile, hasInstruction: boolean) => AsyncGenerator<Finding>

/** A file's text, portion by portion. */
async function* textOf(path: string, highWaterMark = 65_536): AsyncGenerator<string> {
  let isFirst = true
  const portions: AsyncIterable<string> = createReadStream(path, { encoding: 'utf8', highWaterMark })
  for await (const portion of portions) {
    yield isFirst ? withoutMark(portion) : portion
    isFirst = false
  }
}

const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text)

const readWhole: Reader = async function* ({ path, bytes }) {
  if (bytes > MAX_ITEM_BYTES)
    return yield {
      fault: `is longer than ${MAX_ITEM_BYTES.toLocaleString('en')} bytes, the limit for one item`,
    }
  const text = withoutMark(await readFile(path, 'utf8'))
  if (text.trim() === '') return
  yield { draft: { fields: { prompt: text } } }
}

/** The name of an object's member; undefined for anything else, or invalid JSON. */
const nameOfMember = (text: string): string | undefined => {
  try {
    return Object.keys(JSON.parse(`{${text}}`))[0]
  } catch {
    return undefined
  }
}

/** The elements of a list, or of the list `items` of an object. */
async function* elementsOf(path: string): AsyncGenerator<Element> {
  const elements = new JsonElements(MAX_ITEM_BYTES)
  for await (const portion of textOf(path)) yield* elements.push(portion)
  elements.end()
  if (!elements.hasList) throw new SyntaxError(NO_LIST)
}

async function* readElements(path: string, hasInstruction: boolean): AsyncGenerator<Finding> {
  const members: string[] = []
  let index = 0
  for await (const { line, text, isMember } of elementsOf(path)) {
    if (isMember) {
      const name = text === undefined ? '' : nameOfMember(text)
      if (name === undefined) throw new SyntaxError(`is not valid JSON in line ${line}`)
      if (name === 'items') throw new SyntaxError(NO_LIST)
      members.push(name)
      continue
    }
    const at = `[${index}]`
    index += 1
    yield text === undefined
      ? { line, at, fault: `is longer than ${MAX_ITEM_BYTES.toLocaleString('en')} characters` }
      : { line, at, ...foundInJson(text, hasInstruction) }
  }
  if (members.length > 0) yield { notice: `ignored unknown ${namesInWords(members, 'field')} beside "items"` }
}

const readJson: Reader = async function* ({ path }, hasInstruction) {
  try {
    yield* readElements(path, hasInstruction)
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown
    yield { fault: thrown.message }
  }
}

const foundInJson = (text: string, hasInstruction: boolean): Found => {
  try {
    const draft = draftOfJson(jsonOrThrow(text), hasInstruction)
    return draft ? { draft } : { fault: NO_PROMPT }
  } catch (thrown) {
    return { fault: requirement(thrown) }
  }
}

const readJsonLines: Reader = async function* ({ path }, hasInstruction) {
  for await (const found of linesOf(createReadStream(path), MAX_ITEM_BYTES))
    yield 'fault' in found ? found : { line: found.line, ...foundInJson(found.text, hasInstruction) }
}

/** The rows of a table, as its text comes. */
async function* rowsOf(path: string): AsyncGenerator<Row> {
  const rows = new Rows()
  for await (const portion of textOf(path, TABLE_BYTES)) {
    yield* rows.push(portion)
    if (rows.hasEnded) return
  }
  yield* rows.end()
}

const readTable: Reader = async function* ({ path }, hasInstruction) {
  let table: Table | undefined
  for await (const row of rowsOf(path)) {
    const { line } = row
    if ('fault' in row) yield { line, fault: row.fault }
    else if (table) yield { line, ...table.read(row.cells) }
    else {
      const read = Table.of(row.cells, hasInstruction)
      if ('fault' in read) return yield { line, fault: read.fault }
      table = read
      if (table.notice !== undefined) yield { notice: table.notice }
    }
  }
}

const READERS: Readonly<Record<FileKind, Reader>> = {
  text: readWhole,
  markdown: readWhole,
  csv: readTable,
  json: readJson,
  jsonl: readJsonLines,
}

/** The items of a file, in its order: one for a text, one for each row, entry or line of the others. */
export const findingsIn: Reader = (file, hasInstruction) => READERS[file.kind](file, hasInstruction)
