import { type Caller, keyIdOf } from '../../caller.ts'
import type { Clock } from '../../clock.ts'
import { DAY_MS } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { mapInTurns } from '../../loop-turns.ts'
import { faultsOfModels } from '../item-models.ts'
import type { BatchRecords, Item, NewItem, V1Request, V1Url } from '../types.ts'
import type { BatchQuery, V1BatchRecords } from './batch-records.ts'
import type { FileDisk } from './file-disk.ts'
import type { FileService } from './file-service.ts'
import { newId, ownerOrThrow } from './owner.ts'
import { itemsOfBatch } from './results.ts'
import type { BatchApi, BatchOptions, Listed, NewV1Batch, V1Batch } from './types.ts'

export type V1BatchServiceDeps = Readonly<{
  batches: V1BatchRecords
  files: FileService
  disk: FileDisk
  records: BatchRecords
  clock: Clock
  /** Signals that so many items wait. */
  notifyWork: (items: number) => void
  /** Aborts a job's items that run in this process. */
  cancelJob: (jobId: string) => void
  /** Signals that a batch is to be validated or finished. */
  wake: () => void
  /** What is wrong with a model's name; undefined where it can be routed. */
  modelFault: (model: string, url: V1Url) => string | undefined
}>

const ID: Readonly<Record<BatchApi, RegExp>> = {
  batches: /^batch_[\da-f]{32}$/,
  'message-batches': /^msgbatch_[\da-f]{32}$/,
}

const noSuchBatch = (): GatewayError => new GatewayError('NOT_FOUND', 'There is no such batch.')

const noInput = (message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `input_file_id: ${message}.`, {
    details: [{ path: 'input_file_id', message }],
  })

const tooLate = (what: string): GatewayError =>
  new GatewayError('CONFLICT', `The batch ${what}.`, { retryable: false })

/** A caller's operations on their own batches of `/v1`. For other callers a batch does not exist. */
export class V1BatchService {
  readonly #deps: V1BatchServiceDeps

  constructor(deps: V1BatchServiceDeps) {
    this.#deps = deps
  }

  /** Accepts a file of requests, which is validated afterwards. @throws GatewayError INVALID_INPUT for another file */
  async create(
    caller: Caller,
    { inputFileId, endpoint, metadata, outputTtlMs }: BatchOptions,
  ): Promise<V1Batch> {
    const { batches, files, disk, wake } = this.#deps
    const file = await files.find(caller, inputFileId).catch(error => {
      if (error instanceof GatewayError && error.code === 'NOT_FOUND')
        throw noInput('is not the id of a file')
      throw error
    })
    if (file.purpose !== 'batch') throw noInput("is not a file of purpose 'batch'")
    await disk.assertHas(file.id)
    const batch = {
      ...this.#newBatch(caller, 'batches', endpoint),
      inputFileId: file.id,
      ...(metadata && { metadata }),
      ...(outputTtlMs !== undefined && { outputTtlMs }),
    }
    await batches.add(batch)
    wake()
    return { ...batch, state: 'validating' }
  }

  /** Accepts requests at once; one of an unknown model fails when it runs. */
  async submit(caller: Caller, items: readonly NewItem<V1Request>[]): Promise<V1Batch> {
    const { batches, records, notifyWork } = this.#deps
    const batch = this.#newBatch(caller, 'message-batches', '/v1/messages')
    const jobId = newId('batch_')
    const { owner, keyId, createdAt, id: name } = batch
    const job = {
      id: jobId,
      owner,
      ...(keyId !== undefined && { keyId }),
      name,
      priority: 'normal',
      createdAt,
      isV1: true,
    } as const
    const checked = await this.#withModelsChecked(items, batch.endpoint)
    await records.submit(job, checked, batches.addWithJob(batch, jobId))
    notifyWork(items.length)
    return this.find(caller, batch.api, batch.id)
  }

  async find(caller: Caller, api: BatchApi, id: unknown): Promise<V1Batch> {
    const owner = ownerOrThrow(caller)
    const batch =
      typeof id === 'string' && ID[api].test(id) ? await this.#deps.batches.find(owner, api, id) : undefined
    if (!batch) throw noSuchBatch()
    return batch
  }

  /** Newest first. */
  async list(caller: Caller, api: BatchApi, query: BatchQuery): Promise<Listed<V1Batch>> {
    return this.#deps.batches.list(ownerOrThrow(caller), api, query)
  }

  /** Ends a batch: its waiting and running requests do not continue. */
  async cancel(caller: Caller, api: BatchApi, id: unknown): Promise<V1Batch> {
    const batch = await this.find(caller, api, id)
    // Where the job is not, the database failed between the two: it is cancelled now.
    const isCancelled = batch.cancelledAt !== undefined && batch.job?.state === 'cancelled'
    if (batch.state === 'running' && isCancelled) return batch
    const isOpen = batch.state === 'validating' || (batch.state === 'running' && !batch.job?.endedAt)
    if (!isOpen) throw tooLate('has already ended')
    await this.stop(batch, 'cancelled_at')
    return this.find(caller, api, id)
  }

  /** Ends a batch on behalf of its owner, or because its time is over. */
  async stop(batch: V1Batch, why: 'cancelled_at' | 'expired_at'): Promise<void> {
    const { batches, records, clock, cancelJob, wake } = this.#deps
    const now = clock.now()
    await batches.stop(batch.id, why, now)
    // Its validation may have ended meanwhile.
    const { job } = (await batches.find(batch.owner, batch.api, batch.id)) ?? {}
    if (!job) return
    await records.cancel(batch.owner, job.id, now)
    cancelJob(job.id)
    wake()
  }

  /** Removes a batch that has ended, with its answers. */
  async remove(caller: Caller, api: BatchApi, id: unknown): Promise<V1Batch> {
    const batch = await this.find(caller, api, id)
    if (batch.state === 'validating' || batch.state === 'running')
      throw tooLate('has not ended yet. Cancel it first')
    if (batch.job) await this.#deps.records.remove(batch.owner, batch.job.id)
    await this.#deps.batches.remove(batch.id)
    return batch
  }

  /** All requests of a batch that has ended, with their results. @throws GatewayError NOT_FOUND before its end */
  results(batch: V1Batch): AsyncIterable<Item> {
    if (batch.state !== 'ended' || !batch.job)
      throw new GatewayError(
        'NOT_FOUND',
        'The batch has no results: it has not ended yet, or they have expired.',
      )
    return itemsOfBatch(this.#deps.records, batch)
  }

  /** The requests of a batch, all to the same route; those of an unknown model are marked. */
  #withModelsChecked(
    items: readonly NewItem<V1Request>[],
    url: V1Url,
  ): Promise<readonly NewItem<V1Request>[]> {
    const faultOf = faultsOfModels(model => this.#deps.modelFault(model, url))
    return mapInTurns(items, item => {
      const { request } = item
      return faultOf(request.model) === undefined
        ? item
        : { ...item, request: { ...request, isModelUnknown: true } }
    })
  }

  #newBatch(caller: Caller, api: BatchApi, endpoint: V1Url): NewV1Batch {
    const createdAt = Math.floor(this.#deps.clock.now())
    const keyId = keyIdOf(caller)
    return {
      id: newId(api === 'batches' ? 'batch_' : 'msgbatch_'),
      owner: ownerOrThrow(caller),
      ...(keyId !== undefined && { keyId }),
      api,
      endpoint,
      createdAt,
      expiresAt: createdAt + DAY_MS,
    }
  }
}
