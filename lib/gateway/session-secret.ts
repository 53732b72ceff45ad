import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../observability/logger.ts'

const FILE = 'session-secret'
const BYTES = 32

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** Reads the secret, or makes it; whoever loses the race to make it reads the winner's. */
const readOrMake = (dataDir: string): Uint8Array => {
  const path = join(dataDir, FILE)
  try {
    return readFileSync(path)
  } catch (error) {
    if (!isMissing(error)) throw error
    mkdirSync(dataDir, { recursive: true })
    const secret = randomBytes(BYTES)
    writeFileSync(path, secret, { mode: 0o600, flag: 'wx' })
    return secret
  }
}

/**
 * What guest sessions are signed with: `KEY_PEPPER`, so that several gateways agree; else a secret kept in
 * `DATA_DIR`, so that sessions outlive a restart; else, where that cannot be written, one for this process.
 */
export const sessionSecret = (
  keyPepper: string | undefined,
  dataDir: string,
  logger: Logger,
): string | Uint8Array => {
  if (keyPepper) return keyPepper
  try {
    return readOrMake(dataDir)
  } catch (err) {
    logger.warn(
      { err, path: dataDir },
      'DATA_DIR cannot be used: guest sessions will not outlive this process',
    )
    return randomBytes(BYTES)
  }
}
