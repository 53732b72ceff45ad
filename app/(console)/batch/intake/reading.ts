import { Rows } from '#lib/batch/intake/rows.ts'
import { parsedJson } from '../../gateway/parsed-json.ts'
import { extensionOf } from './files.ts'

/** The estimated content of a file. */
export type Reading = { characters: number; items: number }

/** A JSON document larger than this is not parsed only to count its items. */
const LARGEST_PARSED_BYTES = 5_000_000

/** Reads a file piece by piece and counts; undefined where it is not UTF-8. */
export async function readingOf(file: File): Promise<Reading | undefined> {
  const extension = extensionOf(file.name)
  const parses = extension === '.json' && file.size <= LARGEST_PARSED_BYTES
  const count = { characters: 0, lines: 0, inLine: false }
  // The gateway's own table parser, so that separators, quotes and `sep=` are counted as in the gateway.
  const table = extension === '.csv' ? new Rows() : undefined
  let rows = 0
  let text = ''
  try {
    const reader = file
      .stream()
      .pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))
      .getReader()
    for (;;) {
      const { value, done } = await reader.read()
      if (done) break
      take(count, value)
      if (table) rows += [...table.push(value)].length
      if (parses) text += value
    }
    if (table) rows += [...table.end()].length
  } catch {
    return undefined
  }
  const items = table ? Math.max(0, rows - 1) : itemsIn(extension, count.lines, text)
  return { characters: count.characters, items }
}

type Count = { characters: number; lines: number; inLine: boolean }

/** Counts lines with content; one may arrive in several pieces. */
function take(count: Count, piece: string): void {
  count.characters += piece.length
  const [first = '', ...rest] = piece.split('\n')
  for (const [index, line] of [first, ...rest].entries()) {
    if (index > 0) count.inLine = false
    if (count.inLine || line.trim() === '') continue
    count.inLine = true
    count.lines += 1
  }
}

function itemsIn(extension: string, lines: number, text: string): number {
  if (extension === '.jsonl') return lines
  const value = parsedJson(text) as { items?: unknown } | undefined
  const list = Array.isArray(value) ? value : value?.items
  return Array.isArray(list) ? list.length : 1
}
