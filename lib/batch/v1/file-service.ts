import type { Caller } from '../../caller.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError, storageFull } from '../../errors.ts'
import type { V1BatchRecords } from './batch-records.ts'
import type { FileDisk } from './file-disk.ts'
import type { FileRecords } from './file-records.ts'
import { newId, ownerOrThrow } from './owner.ts'
import { type ResultsDeps, resultFileId, resultLines } from './results.ts'
import { type FileQuery, isFileId, type Listed, type Purpose, type StoredFile } from './types.ts'

export type FileServiceDeps = Readonly<{
  files: FileRecords
  batches: V1BatchRecords
  disk: FileDisk
  results: ResultsDeps
  clock: Clock
  /** Most bytes of all files of one owner together. */
  maxBytes: number
  /** How long a file of requests is kept where the client does not say. */
  batchTtlMs: number
}>

export type NewFile = Readonly<{
  /** Where it is now. It is moved from there. */
  path: string
  name: string
  purpose: Purpose
  bytes: number
  /** Milliseconds after which it expires. */
  ttlMs?: number | undefined
}>

const ORPHANED_MS = 3_600_000
const PORTION = 500

const noSuchFile = (): GatewayError =>
  new GatewayError('NOT_FOUND', 'There is no such file.', {
    details: [{ path: 'id', message: 'is not the id of a file' }],
  })

/** A caller's operations on their own files. For other callers a file does not exist. */
export class FileService {
  readonly #deps: FileServiceDeps

  constructor(deps: FileServiceDeps) {
    this.#deps = deps
  }

  /** Rejects with QUOTA_EXCEEDED where the caller can store no more files. */
  async assertSpace(caller: Caller): Promise<void> {
    const { files, maxBytes } = this.#deps
    if ((await files.bytesOf(ownerOrThrow(caller))) >= maxBytes) throw this.#full()
  }

  /** Stores a file. Rejects with QUOTA_EXCEEDED where the caller's files would be too large together. */
  async add(caller: Caller, { path, name, purpose, bytes, ttlMs }: NewFile): Promise<StoredFile> {
    const { files, disk, clock, maxBytes, batchTtlMs } = this.#deps
    const createdAt = Math.floor(clock.now())
    const keptMs = ttlMs ?? (purpose === 'batch' ? batchTtlMs : undefined)
    const file: StoredFile = {
      id: newId('file-'),
      owner: ownerOrThrow(caller),
      name,
      purpose,
      bytes,
      createdAt,
      ...(keptMs !== undefined && { expiresAt: createdAt + keptMs }),
    }
    await disk.take(path, file.id)
    try {
      if (!(await files.add(file, maxBytes))) throw this.#full()
    } catch (error) {
      await disk.remove(file.id)
      throw error
    }
    return file
  }

  async find(caller: Caller, id: unknown): Promise<StoredFile> {
    const owner = ownerOrThrow(caller)
    const { files, clock } = this.#deps
    const file = typeof id === 'string' && isFileId(id) ? await files.find(owner, id, clock.now()) : undefined
    if (!file) throw noSuchFile()
    return file
  }

  async list(caller: Caller, query: FileQuery): Promise<Listed<StoredFile>> {
    return this.#deps.files.list(ownerOrThrow(caller), query, this.#deps.clock.now())
  }

  /** Its bytes, or its lines where it holds the results of a batch. */
  async content(
    caller: Caller,
    id: unknown,
  ): Promise<Readonly<{ file: StoredFile; pieces: AsyncGenerator<string | Uint8Array> }>> {
    const file = await this.find(caller, id)
    const { disk, batches, results } = this.#deps
    if (file.batchId === undefined) {
      await disk.assertHas(file.id)
      return { file, pieces: disk.read(file.id) }
    }
    const batch = await batches.find(file.owner, 'batches', file.batchId)
    if (!batch?.job) throw noSuchFile()
    const kind = file.id === resultFileId(batch, 'output') ? 'output' : 'errors'
    return { file, pieces: resultLines(batch, kind, results) }
  }

  async remove(caller: Caller, id: unknown): Promise<StoredFile> {
    const file = await this.find(caller, id)
    await this.#deps.files.remove(file.owner, file.id)
    if (file.batchId === undefined) await this.#deps.disk.remove(file.id)
    return file
  }

  /** Removes expired files, and content whose upload was interrupted before its file existed. */
  async sweep(): Promise<void> {
    const { files, disk, clock } = this.#deps
    const now = clock.now()
    for (const id of await files.removeExpired(now)) await disk.remove(id)
    const old = await disk.writtenBefore(now - ORPHANED_MS)
    for (let at = 0; at < old.length; at += PORTION)
      for (const id of await files.unknown(old.slice(at, at + PORTION))) await disk.remove(id)
  }

  #full(): GatewayError {
    const most = this.#deps.maxBytes.toLocaleString('en')
    return storageFull(`Your files would be larger than ${most} bytes together. Delete some of them.`)
  }
}
