import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { fault, itemOfText, type Read, type Wishes } from './item.ts'

const PROMPT = 'prompt'
const ID = 'id'
const MODEL = 'model'

type Row = Readonly<{ record: readonly string[]; info: Readonly<{ lines: number }> }>

const columnNamed = (header: readonly string[], name: string): number =>
  header.findIndex(column => column.trim().toLowerCase() === name)

/** A row as it is asked about: all of it, column by column. */
const rendered = (header: readonly string[], cells: readonly string[]): string =>
  header.map((column, index) => `${column}: ${cells[index] ?? ''}`).join('\n')

/**
 * The rows of a table, whose first row names its columns. With an instruction each row is asked about as a whole;
 * without one, its column `prompt` is what is asked. Columns `id` and `model` say those of an item.
 */
export async function* csvItems(
  text: AsyncIterable<string>,
  file: string,
  wishes: Wishes,
  longest: number,
): AsyncGenerator<Read> {
  const parser = parse({ info: true, skip_empty_lines: true, max_record_size: longest })
  const source = Readable.from(text)
  source.on('error', error => parser.destroy(error))
  source.pipe(parser)
  let header: readonly string[] | undefined
  // Where the row before ended: a row may take several lines.
  let ended = 0
  try {
    for await (const { record, info } of parser as AsyncIterable<Row>) {
      const line = ended + 1
      ended = info.lines
      if (!header) {
        header = record
        if (wishes.instruction === undefined && columnNamed(header, PROMPT) === -1) {
          yield fault({ file, line: 1 }, 'needs a column named prompt; or send an instruction for its rows')
          return
        }
        continue
      }
      const content =
        wishes.instruction === undefined
          ? (record[columnNamed(header, PROMPT)] ?? '')
          : rendered(header, record)
      const id = record[columnNamed(header, ID)]
      const model = record[columnNamed(header, MODEL)]
      yield itemOfText(content, { file, line }, wishes, { id, model })
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = Number(error.lines)
    yield fault({ file, ...(line > 0 && { line }) }, `is not a well-formed table (${error.code})`)
  } finally {
    source.destroy()
  }
}
