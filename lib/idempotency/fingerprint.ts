import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { turn } from '../loop-turns.ts'

/** A longer JSON body is compared byte by byte. */
const MOST_CANONICAL_BYTES = 131_072
const PORTION = 1_048_576

/** A part of a form: a field, or a file on disk. */
export type FingerprintPart =
  | Readonly<{ name: string; value: string }>
  | Readonly<{ name: string; fileName: string; path: string }>

const hex = (hash: Hash): string => hash.digest('hex')

/** Numbers stay as they are spelled: a parser would take 2^53 + 1 for 2^53. */
class Spelled {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

const spelled = (_key: string, value: unknown, context?: Readonly<{ source?: string }>): unknown =>
  typeof value === 'number' ? new Spelled(context?.source ?? String(value)) : value

const written = (value: unknown): string => {
  if (value instanceof Spelled) return value.source
  if (Array.isArray(value)) return `[${value.map(written).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${written(member)}`).join()}}`
}

/** JSON without white space, its members in order; undefined where it is not valid or nested too deep. */
const canonical = (bytes: Uint8Array): string | undefined => {
  try {
    return written(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), spelled))
  } catch {
    return undefined
  }
}

/**
 * SHA-256 of a JSON body. White space, the order of members and the escapes of texts make no difference; the spelling of
 * numbers does. A body of more than 128 kB, or one that is not valid JSON, counts byte by byte.
 */
export const jsonFingerprint = async (bytes: Uint8Array): Promise<string> => {
  const hash = createHash('sha256')
  const text = bytes.length <= MOST_CANONICAL_BYTES ? canonical(bytes) : undefined
  if (text !== undefined) return hex(hash.update(text))
  for (let from = 0; from < bytes.length; from += PORTION) {
    await turn()
    hash.update(bytes.subarray(from, from + PORTION))
  }
  return hex(hash)
}

const fileDigest = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hex(hash)
}

/** SHA-256 of a form: the names, values, file names and contents of its parts in their order, not its boundary. */
export const formFingerprint = async (parts: readonly FingerprintPart[]): Promise<string> => {
  const lines: string[] = []
  for (const part of parts)
    lines.push(
      JSON.stringify(
        'value' in part
          ? [part.name, part.value]
          : [part.name, part.fileName, await fileDigest(part.path), 'file'],
      ),
    )
  return hex(createHash('sha256').update(lines.join('\n')))
}
