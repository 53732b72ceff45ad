import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from '../../lib/guardrails/types.ts'

/** A corpus that is kept here, with where it comes from. */
export interface Source {
  readonly name: string
  /** `discussion`: harmless texts about prompts, rules and attacks, which may be flagged. */
  readonly label: 'attack' | 'harmless' | 'discussion'
  readonly place: Place
  readonly texts: number
  readonly sha256: string
  readonly package: string
  readonly version: string
  readonly licence: string
}

export interface Corpus extends Source {
  readonly lines: readonly string[]
}

const DIRECTORY = join(import.meta.dirname, 'corpora')

const textOf = (line: string): string => {
  const value: unknown = JSON.parse(line)
  if (typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string')
    return value.text
  throw new Error(`A line of a corpus has no text: ${line.slice(0, 80)}`)
}

const read = (source: Source): Corpus => {
  const file = readFileSync(join(DIRECTORY, `${source.name}.jsonl`), 'utf8')
  const digest = createHash('sha256').update(file).digest('hex')
  if (digest !== source.sha256)
    throw new Error(`The corpus ${source.name} is not the one that sources.json describes.`)
  return { ...source, lines: file.trim().split('\n').map(textOf) }
}

/** All corpora. Throws where one is not the one that was described. */
export const readCorpora = (): Corpus[] => {
  const sources: readonly Source[] = JSON.parse(readFileSync(join(DIRECTORY, 'sources.json'), 'utf8'))
  return sources.map(read)
}
