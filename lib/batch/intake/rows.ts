/** The longest row, in characters: no item is that long. */
const MOST_CHARACTERS = 1_000_000
/** The limit of spreadsheet programs. */
const MOST_COLUMNS = 16_384
const MOST_BLANK = 1_048_576
const DELIMITERS = [',', ';', '\t'] as const
/** A first line that Excel adds, which names the separator. */
const SEPARATOR = /^"?sep=(.)"?$/i
const QUOTED = /"(?:[^"]|"")*"?/g

const number = (value: number): string => value.toLocaleString('en')

/**
 * A row with content, and the line it begins in, counted from 1. After a fault that `ends` the table, reading stops.
 */
export type Row = Readonly<{ line: number } & ({ cells: readonly string[] } | { fault: string; ends?: true })>

/** The separator of a header: the candidate that occurs most often outside of quotes; a comma when none occurs. */
export const delimiterOf = (header: string): string => {
  const bare = header.replace(QUOTED, '')
  const counts = DELIMITERS.map(one => bare.split(one).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ','
}

const isBlank = (cells: readonly string[]): boolean => cells.every(cell => cell.trim() === '')

/** An incomplete row; a quoted cell may continue in the next line. */
class OpenRow {
  readonly line: number
  readonly #delimiter: string
  readonly #cells: string[] = []
  #cell = ''
  #isQuoted = false
  #length = 0
  fault: string | undefined

  constructor(line: number, delimiter: string) {
    this.line = line
    this.#delimiter = delimiter
  }

  get length(): number {
    return this.#length
  }

  /** Takes a line. Returns the cells once the row is complete. */
  take(text: string, lineBreak: string): readonly string[] | undefined {
    this.#length += text.length + lineBreak.length
    if (!this.#isQuoted && !text.includes('"')) return text.split(this.#delimiter, MOST_COLUMNS + 1)
    let at: number | undefined = 0
    while (at !== undefined && this.#cells.length <= MOST_COLUMNS)
      at = this.#isQuoted ? this.#quoted(text, at) : this.#begin(text, at)
    if (!this.#isQuoted) return this.#cells
    this.#cell += lineBreak
    return undefined
  }

  /** At the beginning of a cell. Quotes within a cell that does not begin with one are its own. */
  #begin(text: string, from: number): number | undefined {
    let at = from
    while (text[at] === ' ') at += 1
    if (text[at] !== '"') return this.#end(text, from)
    this.#isQuoted = true
    return at + 1
  }

  #quoted(text: string, from: number): number | undefined {
    const quote = text.indexOf('"', from)
    this.#cell += text.slice(from, quote < 0 ? undefined : quote)
    if (quote < 0) return undefined
    if (text[quote + 1] === '"') {
      this.#cell += '"'
      return quote + 2
    }
    this.#isQuoted = false
    return this.#end(text, quote + 1, true)
  }

  /** The rest of a cell that is not, or no longer, quoted. */
  #end(text: string, from: number, wasQuoted = false): number | undefined {
    const end = text.indexOf(this.#delimiter, from)
    const rest = text.slice(from, end < 0 ? undefined : end)
    if (wasQuoted && rest.trim() !== '')
      this.fault ??= `is not valid CSV: text follows the closing quote of cell ${this.#cells.length + 1}`
    this.#cells.push(wasQuoted ? this.#cell : rest)
    this.#cell = ''
    return end < 0 ? undefined : end + 1
  }
}

/**
 * The rows of a table as portions of its text come: RFC 4180, with any line break, separated by commas, semicolons or
 * tabs, whichever its first row has most of, or what a first line `sep=;` says. Rows without content are left out.
 * Bounded: 1,000,000 characters a row, 16,384 columns, 1,048,576 rows without content.
 */
export class Rows {
  readonly #break = /\r\n|\n|\r/g
  #delimiter: string | undefined
  #line = 1
  #blank = 0
  #rest = ''
  #open: OpenRow | undefined
  #hasEnded = false

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  *push(portion: string): Generator<Row> {
    if (this.#hasEnded) return
    const text = this.#rest + portion
    let from = 0
    // The remainder of the last portion was searched, except a carriage return that may begin a longer break.
    this.#break.lastIndex = Math.max(0, this.#rest.length - 1)
    for (let found = this.#break.exec(text); found; found = this.#break.exec(text)) {
      // A line feed may still follow the carriage return.
      if (found[0] === '\r' && found.index === text.length - 1) break
      const after = found.index + found[0].length
      const row = this.#take(text.slice(from, found.index), found[0])
      from = after
      if (row) yield row
      if (this.#hasEnded) return
    }
    this.#rest = text.slice(from)
    if (this.#rest.length > MOST_CHARACTERS) yield this.#tooLong(this.#open?.line ?? this.#line)
  }

  /** Ends the text. */
  *end(): Generator<Row> {
    if (this.#hasEnded) return
    const ending = this.#rest.endsWith('\r') ? '\r' : ''
    const row = this.#take(this.#rest.slice(0, this.#rest.length - ending.length), ending)
    if (row) yield row
    else if (this.#open) yield { line: this.#open.line, fault: 'is not valid CSV: a quote is never closed' }
  }

  #take(text: string, lineBreak: string): Row | undefined {
    const line = this.#line
    this.#line += 1
    if (this.#delimiter === undefined) {
      if (text.trim() === '') return this.#passBlank(line)
      const [, separator] = SEPARATOR.exec(text) ?? []
      this.#delimiter = separator ?? delimiterOf(text)
      if (separator !== undefined) return undefined
    }
    const open = this.#open ?? new OpenRow(line, this.#delimiter)
    const cells = open.take(text, lineBreak)
    this.#open = cells ? undefined : open
    if (open.length > MOST_CHARACTERS) return this.#tooLong(open.line)
    if (!cells) return undefined
    if (open.fault !== undefined) return { line: open.line, fault: open.fault }
    if (cells.length > MOST_COLUMNS)
      return this.#endWith(open.line, `has more than ${number(MOST_COLUMNS)} columns`)
    return isBlank(cells) ? this.#passBlank(line) : { line: open.line, cells }
  }

  #passBlank(line: number): Row | undefined {
    this.#blank += 1
    if (this.#blank <= MOST_BLANK) return undefined
    return this.#endWith(line, `comes after ${number(MOST_BLANK)} rows without content`)
  }

  #tooLong(line: number): Row {
    const why = `is longer than ${number(MOST_CHARACTERS)} characters; a quote may never be closed`
    return this.#endWith(line, why)
  }

  #endWith(line: number, fault: string): Row {
    this.#hasEnded = true
    this.#rest = ''
    this.#open = undefined
    return { line, fault, ends: true }
  }
}
