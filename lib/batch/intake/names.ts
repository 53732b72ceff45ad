import type { FileKind } from './limits.ts'

const LONGEST_NAME = 100
const LONGEST_EXTENSION = 10

/** Characters that end or reorder a line, are invisible, or violate the rules of a file system or a header. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}"*:<>?|]/gu

const KINDS: ReadonlyMap<string, FileKind> = new Map([
  ['.txt', 'text'],
  ['.md', 'markdown'],
  ['.csv', 'csv'],
  ['.json', 'json'],
  ['.jsonl', 'jsonl'],
])

export const EXTENSIONS = [...KINDS.keys()].join(' ')

const splitName = (name: string): readonly [stem: string, extension: string] => {
  const dot = name.lastIndexOf('.')
  return dot < 0 || name.length - dot > LONGEST_EXTENSION ? [name, ''] : [name.slice(0, dot), name.slice(dot)]
}

const firstCharacters = (text: string, count: number): string => [...text].slice(0, count).join('')

/** A file's name without path and control characters, composed (NFC), at most 100 characters, never empty. */
export const cleanName = (sent: string): string => {
  const last = sent.split(/[/\\]/).at(-1) ?? ''
  const [stem, extension] = splitName(last.toWellFormed().normalize('NFC').replace(UNSAFE, '').trim())
  const clean = stem.replace(/^[.\s]+/, '').trim() || 'file'
  return firstCharacters(clean, LONGEST_NAME - extension.length) + extension
}

/** The name itself, or where it is taken, the name with a number: `notes (2).txt`. Case makes no difference. */
export const uniqueName = (name: string, taken: readonly string[]): string => {
  const lower = new Set(taken.map(other => other.toLowerCase()))
  const [stem, extension] = splitName(name)
  let candidate = name
  for (let count = 2; lower.has(candidate.toLowerCase()); count += 1) {
    const end = ` (${count})${extension}`
    candidate = firstCharacters(stem, LONGEST_NAME - end.length) + end
  }
  return candidate
}

/** The format of a file by its name; undefined for an unknown extension. */
export const kindOf = (name: string): FileKind | undefined => KINDS.get(splitName(name)[1].toLowerCase())
