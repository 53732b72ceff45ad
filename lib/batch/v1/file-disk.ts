import { createReadStream } from 'node:fs'
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GatewayError } from '../../errors.ts'
import { diskFault } from '../intake/upload-dir.ts'
import { isFileId } from './types.ts'

const elsewhere = (): GatewayError =>
  new GatewayError(
    'STORE_UNAVAILABLE',
    'The content of this file is not on this machine. Gateways that share a database must share DATA_DIR too.',
    { retryAfterSeconds: 1 },
  )

/** Has a file written through to the disk. */
const sync = async (path: string): Promise<void> => {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The content of files, one file of its own each, by their ids. */
export class FileDisk {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  pathOf(id: string): string {
    return join(this.#directory, id)
  }

  /** Takes a file over, from the same volume. @throws GatewayError STORE_UNAVAILABLE where the disk fails */
  async take(from: string, id: string): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      await sync(from)
      await rename(from, this.pathOf(id))
    } catch (cause) {
      throw diskFault(cause)
    }
  }

  /** @throws GatewayError STORE_UNAVAILABLE where this machine does not have it */
  async assertHas(id: string): Promise<void> {
    await access(this.pathOf(id)).catch(() => {
      throw elsewhere()
    })
  }

  async *read(id: string): AsyncGenerator<Uint8Array> {
    yield* createReadStream(this.pathOf(id))
  }

  async remove(id: string): Promise<void> {
    await rm(this.pathOf(id), { force: true })
  }

  /** The ids of the files that were written before a clock time. */
  async writtenBefore(before: number): Promise<readonly string[]> {
    const names = await readdir(this.#directory).catch(() => [])
    const old: string[] = []
    for (const name of names.filter(isFileId)) {
      const found = await stat(this.pathOf(name)).catch(() => undefined)
      if (found && found.mtimeMs < before) old.push(name)
    }
    return old
  }
}
