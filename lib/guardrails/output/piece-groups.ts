import type { JsonPiece } from './json-pieces.ts'

const commonStart = (a: string, b: string): number => {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1
  return length
}

const commonEnd = (a: string, b: string, most: number): number => {
  let length = 0
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length += 1
  return length
}

/**
 * A text in the pieces of the one whose place it takes: those before and after what differs stay as they are, and the
 * first of the others has all that stands between.
 */
export const divided = (text: string, pieces: readonly string[]): readonly string[] => {
  const before = pieces.join('')
  const start = commonStart(before, text)
  const end = before.length - commonEnd(before, text, Math.min(before.length, text.length) - start)
  const ends: number[] = []
  for (const piece of pieces) ends.push((ends.at(-1) ?? 0) + piece.length)
  const first = Math.max(
    0,
    ends.findIndex(position => position > start),
  )
  const last = Math.max(
    first,
    ends.findIndex(position => position >= end),
  )
  const from = (ends[first] ?? 0) - (pieces[first]?.length ?? 0)
  const middle = text.slice(from, text.length - (before.length - (ends[last] ?? 0)))
  return pieces.map((piece, index) => {
    if (index < first || index > last) return piece
    return index === first ? middle : ''
  })
}

/** The texts of a body, each with its pieces in order. */
export class PieceGroups {
  readonly #groups = new Map<string, string[]>()

  readonly add = ({ group, isWord, text }: JsonPiece): undefined => {
    if (isWord) return
    const pieces = this.#groups.get(group)
    if (pieces) pieces.push(text)
    else this.#groups.set(group, [text])
  }

  /** Each once. */
  get texts(): readonly string[] {
    return [...new Set([...this.#groups.values()].map(pieces => pieces.join('')))]
  }

  /** What takes the place of each piece, asked for in their order. */
  replacements(changed: ReadonlyMap<string, string>): (piece: JsonPiece) => string | undefined {
    const rest = new Map<string, string[]>()
    for (const [group, pieces] of this.#groups) {
      const text = changed.get(pieces.join(''))
      if (text !== undefined) rest.set(group, [...divided(text, pieces)])
    }
    return ({ group, text }) => {
      const replacement = rest.get(group)?.shift()
      return replacement === text ? undefined : replacement
    }
  }
}
