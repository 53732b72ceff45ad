import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GatewayError } from '../../errors.ts'

const PREFIX = 'upload-'
/** Full, over quota, failing, or not to be written; too many open files. */
const DISK: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EIO',
  'EROFS',
  'EACCES',
  'EMFILE',
  'ENFILE',
])

/** A disk error is not the client's fault. */
export const diskFault = (cause: unknown): unknown =>
  DISK.has(String((cause as NodeJS.ErrnoException).code))
    ? new GatewayError('STORE_UNAVAILABLE', 'The gateway cannot store files right now.', {
        cause,
        retryAfterSeconds: 1,
      })
    : cause

/** A directory for one upload that other users of the machine may not read. @throws GatewayError STORE_UNAVAILABLE */
export const newUploadDir = async (directory: string): Promise<string> => {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return await mkdtemp(join(directory, PREFIX))
  } catch (cause) {
    throw diskFault(cause)
  }
}

/** Removes files left by processes that died during an upload. @param before clock time of its last change, ms */
export const sweepUploads = async (directory: string, before: number): Promise<void> => {
  const names = await readdir(directory).catch(() => [])
  for (const name of names.filter(found => found.startsWith(PREFIX))) {
    const path = join(directory, name)
    const found = await stat(path).catch(() => undefined)
    if (found && found.mtimeMs < before) await rm(path, { recursive: true, force: true })
  }
}
