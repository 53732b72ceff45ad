import { JsonElements } from '#lib/batch/intake/json-elements.ts'
import { type Row, Rows } from '#lib/batch/intake/rows.ts'
import { OwnModels, type Share } from './own-models.ts'

/** Counts a file's items as its text comes. */
export interface ItemCounter {
  push(text: string): void
  /** Ends the text. @returns how many items there are */
  end(): number
  /** The items that name their own model. */
  shares(): readonly Share[]
}

/** The gateway refuses longer items. */
const LONGEST_ITEM = 1_000_000
/** Texts that stand for a missing value. */
const UNSET: ReadonlySet<string> = new Set(['', 'null', 'nan', 'none'])

/** The counter for files with this extension. */
export function counterOf(extension: string): ItemCounter {
  if (extension === '.csv') return new TableCounter()
  if (extension === '.json') return new JsonCounter()
  return extension === '.jsonl'
    ? new LineCounter()
    : { push: () => undefined, end: () => 1, shares: () => [] }
}

class LineCounter implements ItemCounter {
  readonly #own = new OwnModels()
  #rest = ''
  #isTooLong = false
  #items = 0

  push(text: string): void {
    const lines = text.split('\n')
    for (const [index, line] of lines.entries()) {
      if (index > 0) this.#endLine()
      this.#isTooLong ||= this.#rest.length + line.length > LONGEST_ITEM
      this.#rest = this.#isTooLong ? '' : this.#rest + line
    }
  }

  end(): number {
    this.#endLine()
    return this.#items
  }

  shares(): readonly Share[] {
    return this.#own.all
  }

  #endLine(): void {
    const line = this.#rest.trim()
    if (this.#isTooLong || line !== '') this.#items += 1
    if (line !== '') this.#own.addJson(line)
    this.#rest = ''
    this.#isTooLong = false
  }
}

/** Reads tables with the gateway's own parser, so that separators, quotes and `sep=` count as they do there. */
class TableCounter implements ItemCounter {
  readonly #rows = new Rows()
  readonly #own = new OwnModels()
  #modelColumn: number | undefined
  #count = 0

  push(text: string): void {
    for (const row of this.#rows.push(text)) this.#take(row)
  }

  end(): number {
    for (const row of this.#rows.end()) this.#take(row)
    return Math.max(0, this.#count - 1)
  }

  shares(): readonly Share[] {
    return this.#own.all
  }

  #take(row: Row): void {
    this.#count += 1
    const cells = 'cells' in row ? row.cells : []
    if (this.#count === 1) this.#modelColumn = cells.findIndex(name => name.trim().toLowerCase() === 'model')
    else {
      const model = cells[this.#modelColumn ?? -1]?.trim() ?? ''
      if (!UNSET.has(model.toLowerCase())) this.#own.add(model, cells.join(' ').length)
    }
  }
}

/** Reads JSON with the gateway's own parser; what is no list is one item. */
class JsonCounter implements ItemCounter {
  readonly #elements = new JsonElements(LONGEST_ITEM)
  readonly #own = new OwnModels()
  #items = 0
  #isBroken = false

  push(text: string): void {
    if (this.#isBroken) return
    try {
      for (const { text: element, isMember } of this.#elements.push(text)) {
        if (isMember) continue
        this.#items += 1
        if (element !== undefined) this.#own.addJson(element)
      }
    } catch {
      this.#isBroken = true
    }
  }

  end(): number {
    return this.#isBroken || !this.#elements.hasList ? 1 : this.#items
  }

  shares(): readonly Share[] {
    return this.#own.all
  }
}
