import { randomBytes } from 'node:crypto'
import { systemCode } from '../system-error.ts'
import { readOrMakeSecret } from './secret-file.ts'

const SESSION_FILE = 'session-secret'
const PEPPER_FILE = 'key-pepper'
const BYTES = 32

type OnUnusable = (code: string) => void

const secretOf = (
  keyPepper: string | undefined,
  dataDir: string,
  file: string,
  onUnusable: OnUnusable,
): string | Uint8Array => {
  if (keyPepper) return keyPepper
  try {
    return readOrMakeSecret(dataDir, file)
  } catch (error) {
    onUnusable(systemCode(error) ?? String(error))
    return randomBytes(BYTES)
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
  onUnusable: OnUnusable,
): string | Uint8Array => secretOf(keyPepper, dataDir, SESSION_FILE, onUnusable)

/** The secret of the digests of API keys, by the same rule. Another one makes all keys unknown. */
export const keyPepper = (
  configured: string | undefined,
  dataDir: string,
  onUnusable: OnUnusable,
): string | Uint8Array => secretOf(configured, dataDir, PEPPER_FILE, onUnusable)
