import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { leafIssues, sentenceOf } from '../validation/zod.ts'
import { type ConfigFile, configFile } from './file-schema.ts'

/** One fault of a configuration file. Never contains a value, which might be a misplaced secret. */
export type FileFault = Readonly<{ path: string; line?: number; message: string }>

export type KeyPath = readonly (string | number)[]

/**
 * A file's content, or its faults. `faultAt` creates a fault at a path for later checks. `isEmpty`: it says nothing at
 * all, not even `{}`.
 */
export type ParsedFile =
  | Readonly<{
      ok: true
      config: ConfigFile
      isEmpty: boolean
      faultAt: (path: KeyPath, message: string) => FileFault
    }>
  | Readonly<{ ok: false; faults: readonly FileFault[] }>

const written = (path: KeyPath): string =>
  path.reduce<string>((all, key) => {
    if (typeof key === 'number') return `${all}[${key}]`
    return all === '' ? key : `${all}.${key}`
  }, '') || '(file)'

/** The line of the path, or of its nearest existing parent. */
const lineOf = (document: Document, lines: LineCounter, path: KeyPath): number | undefined => {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return undefined
}

const keyPath = (path: readonly PropertyKey[]): KeyPath =>
  path.map(key => (typeof key === 'number' ? key : String(key)))

const faultsOf = (issue: z.core.$ZodIssue): readonly [KeyPath, string][] => {
  const path = keyPath(issue.path)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key): [KeyPath, string] => [[...path, key], 'is not a setting'])
  return [[path, issue.code === 'invalid_key' ? 'is not a good name' : sentenceOf(issue)]]
}

/** Reads JSON or YAML, of which JSON is a part, and checks its shape. Does not check whether its names exist. */
export const parseConfigFile = (text: string): ParsedFile => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0)
    return {
      ok: false,
      faults: document.errors.map(({ code, pos }) => ({
        path: '(file)',
        line: lines.linePos(pos[0]).line,
        message: `cannot be read: ${code.toLowerCase().replaceAll('_', ' ')}`,
      })),
    }
  const faultAt = (path: KeyPath, message: string): FileFault => {
    const line = lineOf(document, lines, path)
    return { path: written(path), ...(line !== undefined && { line }), message }
  }
  try {
    const content: unknown = document.toJS()
    const parsed = configFile.safeParse(content ?? {}, { reportInput: true })
    if (parsed.success) return { ok: true, config: parsed.data, isEmpty: content === null, faultAt }
    return {
      ok: false,
      faults: leafIssues(parsed.error.issues)
        .flatMap(faultsOf)
        .map(([path, message]) => faultAt(path, message)),
    }
  } catch {
    // Anchors that refer to each other without end, or to nothing.
    return { ok: false, faults: [faultAt([], 'cannot be read: its anchors cannot be resolved')] }
  }
}

/** A fault as one line of readable text. */
export const faultLine = ({ path, line, message }: FileFault): string =>
  `${line === undefined ? '' : `line ${line}, `}${path}: ${message}`
