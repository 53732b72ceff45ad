import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

const FILES = ['.env.local', '.env'] as const

/** Windows editors write UTF-16, and put a byte order mark before either encoding. */
const ENCODINGS: readonly (readonly [mark: readonly number[], encoding: string])[] = [
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]

/** @throws TypeError for bytes that are invalid in their encoding */
const decoded = (bytes: Uint8Array): string => {
  const [, encoding = 'utf-8'] =
    ENCODINGS.find(([mark]) => mark.every((byte, index) => bytes[index] === byte)) ?? []
  return new TextDecoder(encoding, { fatal: true }).decode(bytes)
}

const faultOf = (file: string, error: unknown): string => {
  const { code } = error as { code?: string }
  if (code === 'EISDIR') return `  ${file}: is a directory; remove it, or put a file in its place`
  if (code === 'EACCES' || code === 'EPERM')
    return `  ${file}: cannot be read (${code}); let this user read it`
  if (error instanceof TypeError) return `  ${file}: is not UTF-8 text; save it as UTF-8`
  return `  ${file}: cannot be read (${code})`
}

let faults: readonly string[] = []

/** The errors of reading the files, one line each. */
export const envFileFaults = (): readonly string[] => faults

/**
 * Sets variables from `.env.local` and `.env` of the working directory that the environment does not set. UTF-8 and
 * UTF-16, with LF or CRLF. Files that cannot be read are among the faults that `readEnvironment` reports.
 */
export const loadEnvFiles = (): void => {
  faults = FILES.flatMap(file => {
    try {
      const text = decoded(readFileSync(file)).replaceAll('\r\n', '\n')
      for (const [name, value] of Object.entries(parseEnv(text))) process.env[name] ??= value
      return []
    } catch (error) {
      return (error as { code?: string }).code === 'ENOENT' ? [] : [faultOf(file, error)]
    }
  })
}
