import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../storage/directory.ts'

const FILE = 'session-secret'
const BYTES = 32

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)

const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT'

/** Reads the secret, or creates it; the process that loses the race to create it reads the winner's. */
const readOrMake = (dataDir: string): Uint8Array => {
  const path = join(dataDir, FILE)
  try {
    const secret = readFileSync(path)
    // The disk was full during the write; a short secret can be guessed.
    if (secret.length < BYTES) throw new Error('the secret is too short')
    return secret
  } catch (error) {
    if (!isMissing(error)) throw error
    makeDirectory(dataDir)
    const secret = randomBytes(BYTES)
    writeFileSync(path, secret, { mode: 0o600, flag: 'wx' })
    return secret
  }
}

/**
 * The secret that signs guest sessions: `KEY_PEPPER`, so that several gateways agree; else a secret kept in
 * `DATA_DIR`, so that sessions outlive a restart; else, where that cannot be written, one for this process.
 *
 * @param onUnusable called with the code of the error where `DATA_DIR` cannot be written
 */
export const sessionSecret = (
  keyPepper: string | undefined,
  dataDir: string,
  onUnusable: (code: string) => void,
): string | Uint8Array => {
  if (keyPepper) return keyPepper
  try {
    return readOrMake(dataDir)
  } catch (error) {
    onUnusable(codeOf(error))
    return randomBytes(BYTES)
  }
}
