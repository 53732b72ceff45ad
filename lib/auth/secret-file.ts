import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../storage/directory.ts'
import { systemCode } from '../system-error.ts'

const BYTES = 32
const DRAFT_BYTES = 8

/** @throws Error for one that is too short: the disk was full when it was written, and it could be guessed */
const read = (path: string): Uint8Array => {
  const secret = readFileSync(path)
  if (secret.length < BYTES) throw new Error('the secret is too short')
  return secret
}

/** Puts a whole secret in its place at once, unless another process was first. */
const make = (path: string): void => {
  const draft = `${path}.${randomBytes(DRAFT_BYTES).toString('hex')}`
  try {
    writeFileSync(draft, randomBytes(BYTES), { mode: 0o600, flag: 'wx' })
    linkSync(draft, path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/**
 * Reads a secret of 32 random bytes from a file, or creates it (0600). Of several processes that create it at once, all
 * read the same.
 * @throws the system's error, or an Error for a file that is too short
 */
export const readOrMakeSecret = (dataDir: string, file: string): Uint8Array => {
  const path = join(dataDir, file)
  try {
    return read(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    makeDirectory(dataDir)
    make(path)
    return read(path)
  }
}
