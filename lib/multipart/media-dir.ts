import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { diskFault } from '../batch/intake/upload-dir.ts'
import { systemCode } from '../system-error.ts'

/** Directories of other machines on the same volume are removed after this time. */
const LONGEST_REQUEST_MS = 3_600_000
const HOST = hostname().replaceAll(/[^\w.]/g, '_')
const NAME = /^media-([\w.]+)-(\d+)-\w+$/

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It exists, and belongs to another user.
    return systemCode(error) === 'EPERM'
  }
}

/** A directory for the files of one request, which other users of the machine may not read. */
export const newMediaDir = async (directory: string): Promise<string> => {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return await mkdtemp(join(directory, `media-${HOST}-${process.pid}-`))
  } catch (cause) {
    throw diskFault(cause)
  }
}

/** Removes a request's directory. What cannot be removed is left for a later start, and must not fail a request. */
export const removeMedia = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true }).catch(() => {})

/** Removes the files of processes that died during a request. To be called once, at start. @param now clock time, ms */
export const sweepMedia = async (directory: string, now: number): Promise<void> => {
  for (const name of await readdir(directory).catch(() => [])) {
    const [, host, pid] = NAME.exec(name) ?? []
    if (pid === undefined) continue
    const path = join(directory, name)
    const isDead = host === HOST && (Number(pid) === process.pid || !isRunning(Number(pid)))
    const found = isDead ? undefined : await stat(path).catch(() => undefined)
    if (isDead || (found && found.mtimeMs < now - LONGEST_REQUEST_MS)) await removeMedia(path)
  }
}
