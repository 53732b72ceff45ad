import { inTurns, type Steps } from '../../loop-turns.ts'
import { isJson } from '../json-strings.ts'
import { type BodyTexts, kindOfString } from './body-strings.ts'

/** A piece of a text, on the line of its event. */
type Piece = Readonly<{ line: number; text: string; write: (text: string) => void }>

type Branch = Record<string, unknown> | unknown[]

/** Where a value stands: its line, the kind of event and choice that it belongs to, and the name of its member. */
type Location = Readonly<{ line: number; of: string; member: string }>

const DATA = /^data: ?(?=\{)/
const IS_SILENT = /^(?:data: ?\[DONE\])?\s*$/
const LINES_PER_STEP = 64

const isBranch = (value: unknown): value is Branch => typeof value === 'object' && value !== null

const joined = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join('')

/**
 * The texts of a body of events, which say them in pieces: those of one member, kind of event and choice are one text.
 */
export class EventTexts {
  readonly #lines: string[]
  /** The data of the events that are JSON, by their line. */
  readonly #data = new Map<number, Branch>()
  readonly #texts = new Map<string, Piece[]>()
  readonly #words: Piece[] = []

  constructor(body: string) {
    this.#lines = body.split(/(?<=\n)|(?<=\r)(?!\n)/)
  }

  *read(): Steps<BodyTexts> {
    for (const [line, written] of this.#lines.entries()) {
      if (line % LINES_PER_STEP === LINES_PER_STEP - 1) yield
      if (!IS_SILENT.test(written)) this.#readLine(line, written)
    }
    const texts = new Set([...this.#texts.values()].map(joined))
    return { texts: [...texts], withTexts: changed => inTurns(this.#withTexts(changed)) }
  }

  #readLine(line: number, written: string): void {
    const json = DATA.test(written) ? written.replace(DATA, '') : ''
    if (!isJson(json)) {
      const write = (text: string): void => {
        this.#lines[line] = text
      }
      this.#add(`line ${line}`, { line, text: written, write })
      return
    }
    const data: Record<string, unknown> = JSON.parse(json)
    this.#data.set(line, data)
    this.#readBranch(data, { line, of: String(data.type), member: '' })
  }

  #readBranch(branch: Branch, { line, of: outer, member: ofList }: Location): void {
    const isList = Array.isArray(branch)
    const of = !isList && typeof branch.index === 'number' ? `${outer} ${branch.index}` : outer
    for (const [key, value] of Object.entries(branch)) {
      const member = isList ? ofList : key
      if (isBranch(value)) this.#readBranch(value, { line, of, member })
      else if (typeof value === 'string') this.#addString(branch, key, { line, of, member })
    }
  }

  #addString(branch: Branch, key: string, { line, of, member }: Location): void {
    const text = String(Reflect.get(branch, key))
    const piece: Piece = { line, text, write: changed => Reflect.set(branch, key, changed) }
    const kind = kindOfString(member)
    if (kind === 'word') this.#words.push(piece)
    else if (kind === 'text') this.#add(`${of} ${member}`, piece)
  }

  #add(name: string, piece: Piece): void {
    const pieces = this.#texts.get(name)
    if (pieces) pieces.push(piece)
    else this.#texts.set(name, [piece])
  }

  /** What takes a text's place comes with its first piece. */
  *#withTexts(changed: ReadonlyMap<string, string>): Steps<string> {
    const rewritten = new Set<number>()
    const rewrite = ({ line, write }: Piece, text: string): void => {
      write(text)
      rewritten.add(line)
    }
    for (const pieces of this.#texts.values()) {
      yield
      const text = changed.get(joined(pieces))
      if (text === undefined) continue
      for (const [index, piece] of pieces.entries()) rewrite(piece, index === 0 ? text : '')
    }
    for (const word of this.#words) rewrite(word, '')
    for (const line of rewritten) {
      if (line % LINES_PER_STEP === LINES_PER_STEP - 1) yield
      const data = this.#data.get(line)
      if (data)
        this.#lines[line] = `data: ${JSON.stringify(data)}${/\r?\n?$/.exec(this.#lines[line] ?? '')?.[0]}`
    }
    return this.#lines.join('')
  }
}
