import {
  followsBlankLine,
  holds,
  joined,
  type ListPiece,
  lineOf,
  type Parsed,
  type Piece,
  piecesOf,
} from './pieces.ts'

/** A longer text is taken in parts: parsing a list takes time by the square of its length. */
const PART_CHARACTERS = 500

/** A blank line before more text, or a list item. */
const SEPARATED = /\n[ \t]*\r?\n\s*\S|^[ \t]*(?:[-+*]|\d{1,9}[.)])(?:\s|$)/m
const FENCE = /^ {0,3}(?:```|~~~)/

/** Whether a text may be more than one piece; where not, there is nothing to settle, and no need to parse for it. */
function mayBeSeveral(text: string): boolean {
  const isOpenCode =
    FENCE.test(text) &&
    !text
      .split('\n')
      .slice(1)
      .some(line => FENCE.test(line))
  return !isOpenCode && SEPARATED.test(text)
}

/** The pieces of a text, and the link definitions in it, as Markdown. */
export type Split = { pieces: readonly Piece[]; definitions: string }

/**
 * Splits a text that grows at its end into pieces, parsing only its open end: a piece is settled once a blank line and
 * another block follow it, a list item once another item follows. Drawn by themselves, the pieces look as the text
 * parsed at once, but for references, which need the whole text: see `finished`.
 */
export class GrowingMarkdown {
  #settledText = ''
  #settled: Piece[] = []
  /** The settled items of the list that the open end continues. */
  #openList: ListPiece | undefined
  #definitions: string[] = []
  #needsWhole = false
  #triedLength = 0

  /** The text so far. References to link definitions are not resolved yet. */
  update(text: string): Split {
    if (!text.startsWith(this.#settledText)) this.#forget()
    for (let end = this.#settledText.length + PART_CHARACTERS; end < text.length; end += PART_CHARACTERS)
      this.#settle(text.slice(0, end))
    this.#settle(text)
    const open = text.slice(this.#settledText.length)
    const pieces: Piece[] =
      this.#openList || mayBeSeveral(open)
        ? this.#continued(piecesOf(open))
        : [{ type: 'block', source: open }]
    return { pieces: [...this.#settled, ...pieces], definitions: '' }
  }

  /** The whole text. With footnotes, or definitions within other blocks, it is one piece. */
  finished(text: string): Split {
    const { pieces } = this.update(text)
    const open = piecesOf(text.slice(this.#settledText.length))
    const definitions = [...this.#definitions, ...definitionsIn(open)].join('\n')
    return this.#needsWhole || open.some(needsWhole)
      ? { pieces: [{ type: 'block', source: text }], definitions: '' }
      : { pieces, definitions }
  }

  #forget(): void {
    this.#settledText = ''
    this.#settled = []
    this.#openList = undefined
    this.#definitions = []
    this.#needsWhole = false
    this.#triedLength = 0
  }

  /** Settles what later lines cannot change. The last line may be incomplete, and is not looked at. */
  #settle(text: string): void {
    const end = text.lastIndexOf('\n') + 1
    if (end <= this.#triedLength) return
    this.#triedLength = end
    const open = text.slice(this.#settledText.length, end)
    if (!mayBeSeveral(open)) return
    const parsed = piecesOf(open)
    const last = parsed.findLastIndex(({ start }) => followsBlankLine(open, start))
    if (last <= 0) {
      this.#settleItems(open, parsed)
      return
    }
    const done = parsed.slice(0, last)
    this.#settled.push(...this.#continued(done))
    this.#openList = undefined
    this.#definitions.push(...definitionsIn(done))
    this.#needsWhole ||= done.some(needsWhole)
    this.#settledText += open.slice(0, parsed[last]?.start)
  }

  /** Settles all items but the last where the open end is one list. */
  #settleItems(open: string, [first, ...others]: Parsed[]): void {
    const list = first?.nodes[0]
    if (first?.piece.type !== 'list' || list?.type !== 'list' || others.length > 0) return
    const lastItem = list.children.at(-1)
    if (!lastItem || list.children.length < 2) return
    const settled = { ...first.piece, items: first.piece.items.slice(0, -1) }
    this.#needsWhole ||= needsWhole(first)
    this.#openList = this.#openList ? joined(this.#openList, settled) : settled
    this.#settledText += open.slice(0, lineOf(open, lastItem))
  }

  /** The pieces of the open end, its first list joined to the settled items before it. */
  #continued(open: Parsed[]): Piece[] {
    const pieces = open.map(({ piece }) => piece)
    const [first, ...others] = pieces
    if (!this.#openList) return pieces
    return first?.type === 'list' ? [joined(this.#openList, first), ...others] : [this.#openList, ...pieces]
  }
}

const definitionsIn = (parsed: Parsed[]): string[] =>
  parsed.flatMap(({ piece, nodes }) =>
    piece.type === 'block' && nodes.length === 1 && nodes[0]?.type === 'definition' ? [piece.source] : [],
  )

/** Footnotes are numbered and listed for the whole text; a definition beside or within other blocks is out of reach. */
const needsWhole = ({ nodes }: Parsed): boolean =>
  nodes.some(node => holds(node, 'footnoteDefinition')) ||
  ((nodes.length > 1 || nodes[0]?.type !== 'definition') && nodes.some(node => holds(node, 'definition')))
