import { jsonOrThrow } from '../../validation/json.ts'
import { requirement } from '../../validation/zod.ts'
import { unguarded } from '../results.ts'
import type { Draft, Found } from './draft.ts'
import { namesInWords } from './notices.ts'

/** Columns of a table of items, as they are written without spaces, `_`, `-` and capitals. */
const COLUMNS: ReadonlyMap<string, Column> = new Map([
  ['id', 'id'],
  ['customid', 'id'],
  ['prompt', 'prompt'],
  ['messages', 'messages'],
  ['system', 'system'],
  ['model', 'model'],
  ['temperature', 'temperature'],
  ['maxtokens', 'maxTokens'],
  ['maxcompletiontokens', 'maxTokens'],
  ['cache', 'cache'],
  ['fallback', 'fallback'],
])
type Column =
  | 'id'
  | 'prompt'
  | 'messages'
  | 'system'
  | 'model'
  | 'temperature'
  | 'maxTokens'
  | 'cache'
  | 'fallback'

/**
 * In a table of data with an instruction, only these configure the item: all other columns are its content, or these
 * where there are no others.
 */
const COLUMNS_OF_DATA: ReadonlyMap<string, Column> = new Map([
  ['id', 'id'],
  ['model', 'model'],
])
/** The name pandas gives the index of a table that was read and written twice, or more often (`Unnamed: 0.1`). */
const INDEX = /^unnamed: ?0(?:\.\d+)*$/i
/** Invisible characters, such as byte order marks and zero-width spaces. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
/** Texts that pandas, JavaScript and Python write for a missing value. */
const UNSET: ReadonlySet<string> = new Set(['', 'null', 'nan', 'none'])
const DECIMAL = /^[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)$/
/** pandas writes whole numbers so where others of the column are missing. */
const WHOLE = /^[+-]?\d+(?:\.0)?$/

type Named = Readonly<{ at: number; name: string }>

/** The roles of a table's columns. */
type Layout = Readonly<{
  /** Columns up to the last one that has a name. */
  width: number
  known: ReadonlyMap<Column, number>
  nameless: readonly number[]
  /** Columns that follow the instruction as `name: cell`. */
  content: readonly Named[]
}>

const normal = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[\s_-]/g, '')
    .replace(INVISIBLE, '')

const isIndex = (name: string, at: number): boolean => (name === '' && at === 0) || INDEX.test(name)

const layoutOf = (
  names: readonly string[],
  hasInstruction: boolean,
): Layout | Readonly<{ fault: string }> => {
  const isOfItems = names.some(name => ['prompt', 'messages'].includes(normal(name)))
  const isData = hasInstruction && !isOfItems
  const known = new Map<Column, number>()
  const content: Named[] = []
  const seen = new Set<string>()
  for (const [at, name] of names.entries()) {
    if (name === '' || isIndex(name, at)) continue
    const column = isData ? COLUMNS_OF_DATA.get(name) : COLUMNS.get(normal(name))
    // Ignored columns may share a name.
    if (column === undefined ? hasInstruction && seen.has(name) : known.has(column))
      return { fault: `the header has a column twice: ${namesInWords([name])}` }
    seen.add(name)
    if (column !== undefined) known.set(column, at)
    if (column === undefined || column === 'prompt') content.push({ at, name })
  }
  if (!hasInstruction && !isOfItems)
    return {
      fault: `the header needs a "prompt" or "messages" column, but has ${namesInWords(names)}`,
    }
  return {
    width: names.findLastIndex(name => name !== '') + 1,
    known,
    content:
      isData && content.length === 0
        ? [...known.values()].map(at => ({ at, name: names[at] ?? '' }))
        : content,
    nameless: [...names.keys()].filter(at => names[at] === '' && at !== 0),
  }
}

const withPoint = (cell: string): string => cell.replace(',', '.')

/**
 * A setting's cell as the value that a JSON item would hold; an unparsable one stays text, and is refused by the
 * schema.
 */
const settingOf = (column: Column, cell: string): unknown => {
  const text = cell.trim()
  if (UNSET.has(text.toLowerCase())) return undefined
  if (column === 'temperature') return DECIMAL.test(text) ? Number(withPoint(text)) : text
  if (column === 'maxTokens') return WHOLE.test(text) ? Number(text) : text
  if (column === 'cache') return text.toLowerCase()
  if (column !== 'fallback') return text
  const lower = text.toLowerCase()
  return lower === 'true' || lower === 'false' ? lower === 'true' : text
}

/** @throws GatewayError INVALID_INPUT for a cell that is not JSON */
const messagesOf = (cell: string | undefined): unknown =>
  cell === undefined || UNSET.has(cell.trim().toLowerCase()) ? undefined : jsonOrThrow(cell)

/** A system message before the others. */
const below = (system: string, { prompt, messages, ...others }: Draft['fields']): Draft['fields'] => {
  const own = prompt === undefined ? messages : [{ role: 'user', content: prompt }]
  return { ...others, messages: [{ role: 'system', content: system }, ...(Array.isArray(own) ? own : [own])] }
}

const SETTINGS = ['model', 'temperature', 'maxTokens', 'cache', 'fallback'] as const

/** The rows of one table below its header, as drafts of items. */
export class Table {
  readonly #layout: Layout
  readonly #names: readonly string[]
  readonly #hasInstruction: boolean

  private constructor(layout: Layout, names: readonly string[], hasInstruction: boolean) {
    this.#layout = layout
    this.#names = names
    this.#hasInstruction = hasInstruction
  }

  /** The table of a header, or what is wrong with the header. */
  static of(header: readonly string[], hasInstruction: boolean): Table | Readonly<{ fault: string }> {
    const names = header.map(name => unguarded(name.replace('\ufeff', '').trim()))
    const layout = layoutOf(names, hasInstruction)
    return 'fault' in layout ? layout : new Table(layout, names, hasInstruction)
  }

  /** Warns which columns are ignored, where there are any. */
  get notice(): string | undefined {
    if (this.#hasInstruction) return undefined
    const names = this.#layout.content.map(({ name }) => name).filter(name => normal(name) !== 'prompt')
    const unknown = [...new Set(names)]
    return unknown.length === 0 ? undefined : `ignored unknown ${namesInWords(unknown, 'column')}`
  }

  /** A row as a draft. */
  read(row: readonly string[]): Found {
    const { width, nameless } = this.#layout
    if (row.length < width || row.slice(this.#names.length).some(cell => cell.trim() !== ''))
      return { fault: `has ${row.length} cells, the header has ${width}` }
    const astray = nameless.find(at => (row[at] ?? '').trim() !== '')
    if (astray !== undefined) return { fault: `cell ${astray + 1} is in a column without a name` }
    try {
      return { draft: { fields: this.#fieldsOf(row.map(unguarded)) } }
    } catch (thrown) {
      return { fault: `messages ${requirement(thrown)}` }
    }
  }

  #fieldsOf(row: readonly string[]): Draft['fields'] {
    const cellOf = (column: Column): string | undefined => {
      const at = this.#layout.known.get(column)
      return at === undefined ? undefined : row[at]
    }
    const settings = SETTINGS.map(column => [column, settingOf(column, cellOf(column) ?? '')] as const)
    const own = Object.fromEntries(settings.filter(([, value]) => value !== undefined))
    const id = cellOf('id')
    if (id?.trim()) own.id = id
    const messages = messagesOf(cellOf('messages'))
    const prompt = this.#promptOf(row, cellOf('prompt'))
    const hasPrompt = prompt !== undefined && (messages === undefined || cellOf('prompt')?.trim())
    const fields = { ...own, ...(messages !== undefined && { messages }), ...(hasPrompt && { prompt }) }
    const system = cellOf('system')
    const isOne = (messages === undefined) === Boolean(hasPrompt)
    return system?.trim() && isOne ? below(system, fields) : fields
  }

  /** Without an instruction, its cell; with one, all the row's content. */
  #promptOf(row: readonly string[], prompt: string | undefined): string | undefined {
    if (!this.#hasInstruction) return prompt
    return this.#layout.content.map(({ at, name }) => `${name}: ${row[at] ?? ''}`).join('\n')
  }
}
