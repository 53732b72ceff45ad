import type { List, Nodes, RootContent } from 'mdast'
import { parse } from './parse.ts'

/** A part of an answer that is parsed and drawn by itself: a top-level block, or a list item by item. */
export type Piece = Block | ListPiece

export type Block = { type: 'block'; source: string }

export type ListPiece = {
  type: 'list'
  ordered: boolean
  start: number | undefined
  /** Whether its items hold paragraphs: one blank line makes the whole list loose. */
  loose: boolean
  /** Whether it holds items with a box to tick. */
  tasks: boolean
  items: readonly string[]
}

/** A piece, its position, and its syntax tree. */
export type Parsed = { start: number; piece: Piece; nodes: readonly RootContent[] }

/** Markdown as pieces, each with its position. Parses `text` once. */
export function piecesOf(text: string): Parsed[] {
  const nodes = parse(text).children
  const groups: { start: number; nodes: RootContent[] }[] = []
  for (const node of nodes) {
    const start = groups.length === 0 ? 0 : lineOf(text, node)
    const group = groups.at(-1)
    if (group && readsOtherwiseAlone(text, group, node, start)) group.nodes.push(node)
    else groups.push({ start, nodes: [node] })
  }
  return groups.map((group, index) => {
    const end = groups[index + 1]?.start
    const [first] = group.nodes
    const piece: Piece =
      first?.type === 'list' && group.nodes.length === 1
        ? listOf(first, text, group.start, end)
        : { type: 'block', source: sourceBetween(text, group.start, end, group.nodes.at(-1)) }
    return { ...group, piece }
  })
}

/**
 * Whether the parser may take a block for something else without the one before it: a paragraph right after another
 * block may be more than that by itself, as may one that begins like a list, and all that follows an unclosed `\[`.
 */
function readsOtherwiseAlone(
  text: string,
  group: { start: number; nodes: RootContent[] },
  node: RootContent,
  start: number,
): boolean {
  const before = group.nodes.at(-1)
  if (before?.type === 'list') return false
  const source = text.slice(offsetOf(node), offsetOf(node) + LONGEST_MARKERS)
  const startsWithText =
    node.type === 'paragraph' || node.type === 'table' || (node.type === 'heading' && source[0] !== '#')
  if (startsWithText && LIKE_A_LIST.test(source)) return true
  const isApart = followsBlankLine(text, start)
  // Even after blank lines the parser takes what follows indented code for its continuation, which no list can begin.
  if (LIST_WITHIN.test(source) && (!isApart || isIndentedCode(text, before))) return true
  if (isApart) return false
  if (startsWithText) return true
  return /^[ \t]*\\\[/m.test(text.slice(group.start, start))
}

const LONGEST_MARKERS = 40
const LIKE_A_LIST = /^(?:[-+*]|\d{1,9}[.)])(?:\s|$)/
const LIST_WITHIN = /^(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]*)+(?:[-+*]|\d{1,9}[.)])(?:\s|$)/

const isIndentedCode = (text: string, node: RootContent | undefined): boolean =>
  node?.type === 'code' && !/[`~]/.test(text.charAt(offsetOf(node)))

/** Whether the line at `start` comes after a blank one, or is the first. */
export const followsBlankLine = (text: string, start: number): boolean =>
  start === 0 || /(?:^|\n)[ \t]*\r?\n$/.test(text.slice(0, start))

function listOf(list: List, text: string, start: number, end: number | undefined): ListPiece {
  const starts = list.children.map((item, index) => (index === 0 ? start : lineOf(text, item)))
  return {
    type: 'list',
    ordered: list.ordered === true,
    start: list.start ?? undefined,
    loose: list.spread === true || list.children.some(item => item.spread),
    tasks: list.children.some(item => typeof item.checked === 'boolean'),
    items: starts.map((from, index) =>
      sourceBetween(text, from, starts[index + 1] ?? end, list.children[index]),
    ),
  }
}

/** One list out of two parts of it. */
export function joined(first: ListPiece, second: ListPiece): ListPiece {
  return {
    ...first,
    loose: first.loose || second.loose,
    tasks: first.tasks || second.tasks,
    items: [...first.items, ...second.items],
  }
}

/** Whether a node or one within it is of that type. */
export function holds(node: Nodes, type: Nodes['type']): boolean {
  return node.type === type || ('children' in node && node.children.some(child => holds(child, type)))
}

const offsetOf = (node: Nodes): number => node.position?.start.offset ?? 0

/** Where the line begins on which a node begins. */
export function lineOf(text: string, node: Nodes): number {
  const before = text.slice(0, offsetOf(node))
  return Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1
}

/** A part of the text; blank lines before what follows it belong to neither, unless an open block of code holds them. */
function sourceBetween(
  text: string,
  start: number,
  end: number | undefined,
  last: Nodes | undefined,
): string {
  const source = text.slice(start, end)
  if (end === undefined) return source
  const trimmed = source.replace(/(?:\r?\n[ \t]*)+$/, '\n')
  return source.slice(0, Math.max(trimmed.length, (last?.position?.end.offset ?? 0) - start))
}
