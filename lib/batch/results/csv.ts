import { stringify } from 'csv-stringify/sync'
import type { Item } from '../types.ts'
import { guarded } from './formula.ts'
import { resultOf } from './result.ts'

/** Without it Excel reads UTF-8 as the code page of its country. */
const BYTE_ORDER_MARK = '\ufeff'

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

type Cell = string | number | undefined | null

const safe = (cell: Cell): Cell => (typeof cell === 'string' ? guarded(cell) : cell)

const cellsOf = (item: Item): readonly Cell[] => {
  const { usage, error, ...result } = resultOf(item)
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

/**
 * A job's results as a table for spreadsheets: RFC 4180 with a byte order mark, every text quoted, and a `'` before
 * each text that a spreadsheet would run as a formula. Numbers stay numbers; what is unknown is an empty cell.
 */
export async function* resultsAsCsv(items: AsyncIterable<Item>): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + rowOf(COLUMNS)
  for await (const item of items) yield rowOf(cellsOf(item))
}
