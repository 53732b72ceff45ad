import { stringify } from 'csv-stringify/sync'
import { usdOf } from '../money.ts'
import type { Item } from './types.ts'

/** One item in a job's results. `costUsd` is null where the price is unknown or there is no answer. */
const resultOf = ({ id, index, state, response, fault, source }: Item) => ({
  id,
  index,
  state,
  ...(response && {
    content: response.content,
    finishReason: response.finishReason,
    truncated: response.truncated,
    ...(response.tools && { tools: response.tools }),
    model: response.target.name,
    provider: response.target.provider,
    usage: response.usage,
  }),
  costUsd: response?.costPicoUsd === undefined ? null : usdOf(response.costPicoUsd),
  ...(response && { cache: response.cache }),
  ...(fault && { error: fault }),
  ...source,
})

export type Result = ReturnType<typeof resultOf>

/**
 * The beginning of a text that a spreadsheet takes for a formula, full-width and small forms included, after any
 * invisible characters. Texts that already begin with `'` before that match too, so that escaping can be undone.
 */
const FORMULA =
  /^'*(?:[\t\r\n]|[\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*[=+\-@|%\u2212\uff1d\uff0b\uff0d\uff20\uff5c\uff05\ufe62\ufe63\ufe66\ufe6a\ufe6b])/u

/** The text, with a `'` before it where a spreadsheet could run it as a formula. */
export const guarded = (text: string): string => (FORMULA.test(text) ? `'${text}` : text)

/** Undoes the escaping. */
export const unguarded = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text

/** Without it Excel reads UTF-8 as the code page of its country. */
export const BYTE_ORDER_MARK = '\ufeff'

const COLUMNS = [
  'id',
  'index',
  'state',
  'content',
  'finishReason',
  'model',
  'provider',
  'inputTokens',
  'outputTokens',
  'costUsd',
  'cache',
  'errorCode',
  'errorMessage',
  'file',
  'line',
] as const

export type Cell = string | number | undefined | null

const safe = (cell: Cell): Cell => (typeof cell === 'string' ? guarded(cell) : cell)

const cellsOf = (item: Item): readonly Cell[] => {
  const { usage, error, tools: _tools, ...result } = resultOf(item)
  const cells: Readonly<Partial<Record<string, Cell | boolean>>> = {
    ...result,
    inputTokens: usage?.inputTokens,
    outputTokens: usage?.outputTokens,
    errorCode: error?.code,
    errorMessage: error?.message,
  }
  return COLUMNS.map(column => safe(cells[column] as Cell))
}

const rowOf = (cells: readonly Cell[]): string =>
  stringify([[...cells]], { quoted_string: true, record_delimiter: 'windows', cast: { number: String } })

/** One line of a table for spreadsheets: every text quoted, and none of them a formula. */
export const csvRow = (cells: readonly Cell[]): string => rowOf(cells.map(safe))

/**
 * A job's results as a table for spreadsheets: RFC 4180 with a byte order mark, every text quoted, and a `'` before
 * each text that a spreadsheet would run as a formula. Numbers stay numbers; what is unknown is an empty cell.
 */
export async function* resultsAsCsv(items: AsyncIterable<Item>): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + rowOf(COLUMNS)
  for await (const item of items) yield rowOf(cellsOf(item))
}

/** A job's results, one JSON object a line. */
export async function* resultsAsJsonl(items: AsyncIterable<Item>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(resultOf(item))}\n`
}
