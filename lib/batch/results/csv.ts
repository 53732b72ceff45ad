import { stringify } from 'csv-stringify/sync'
import type { Item } from '../types.ts'

const COLUMNS = [
  'id',
  'index',
  'state',
  'content',
  'model',
  'provider',
  'finishReason',
  'inputTokens',
  'outputTokens',
  'costUsd',
  'cache',
  'errorCode',
  'errorMessage',
  'file',
  'line',
] as const

/** So that spreadsheets read it as UTF-8. */
const BYTE_ORDER_MARK = '\ufeff'

/**
 * Texts are always quoted, and those that a spreadsheet would take for a formula begin with an apostrophe (OWASP,
 * "CSV Injection"). Numbers stay numbers. What is not there is empty.
 */
const line = (cells: readonly unknown[]): string =>
  stringify([cells as unknown[]], { quoted_string: true, escape_formulas: true, record_delimiter: 'windows' })

const cellsOf = ({ id, index, state, answer, fault, source }: Item): readonly unknown[] => [
  id,
  index,
  state,
  answer?.content,
  answer?.target.name,
  answer?.target.provider,
  answer?.finishReason,
  answer?.usage.inputTokens,
  answer?.usage.outputTokens,
  answer?.costUsd,
  answer?.cache,
  fault?.code,
  fault?.message,
  source?.file,
  source?.line,
]

/** Results as RFC 4180 has it, with a header, an item a record. */
export async function* resultsAsCsv(items: AsyncIterable<Item>): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + line(COLUMNS)
  for await (const item of items) yield line(cellsOf(item))
}
