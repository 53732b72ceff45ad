import type { Clock, Timer } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import type { BatchRecords, NewItem, V1Request } from '../types.ts'
import { type V1BatchRecords, ValidationLost } from './batch-records.ts'
import type { V1BatchService } from './batch-service.ts'
import type { FileDisk } from './file-disk.ts'
import type { FileRecords } from './file-records.ts'
import { type InputOptions, itemsOf, LineFaults } from './input.ts'
import { newId } from './owner.ts'
import { countResults, type ResultsDeps } from './results.ts'
import type { V1Batch, Validation } from './types.ts'

/** How often it looks for work of other processes, and of those that died. */
const TICK_MS = 5_000
const LEASE_MS = 60_000
const RENEWED_AFTER_MS = 10_000

export type V1RunnerDeps = Readonly<{
  batches: V1BatchRecords
  service: V1BatchService
  files: FileRecords
  records: BatchRecords
  disk: FileDisk
  results: ResultsDeps
  input: Omit<InputOptions, 'endpoint'>
  clock: Clock
  /** How long results are kept. */
  keepMs: number
  notifyWork: (items: number) => void
  isStopping: () => boolean
  /** Called when a database operation fails. */
  onError: (error: unknown) => void
}>

/** The file has faults. */
class Faulty extends Error {}

const GONE = { code: 'invalid_file', message: 'The file was deleted before it was read.' }

/** Validates the files of new batches, counts the results of ended ones, and ends those that are over time. */
export class V1Runner {
  readonly #deps: V1RunnerDeps
  readonly #tick: Timer
  #isCalled = false
  #isRunning = false

  constructor(deps: V1RunnerDeps) {
    this.#deps = deps
    this.#tick = deps.clock.timer(TICK_MS, this.wake)
  }

  /** Signals that there may be work. */
  readonly wake = (): void => {
    this.#isCalled = true
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#isCalled && !this.#deps.isStopping()) {
      this.#isCalled = false
      for (const step of [this.#validateAll, this.#expire, this.#finish])
        await step().catch(this.#deps.onError)
    }
    this.#isRunning = false
    this.#tick.refresh()
  }

  readonly #validateAll = async (): Promise<void> => {
    const { batches, clock, isStopping, onError } = this.#deps
    const later: string[] = []
    while (!isStopping()) {
      const now = clock.now()
      const validation = await batches.claimValidation(now, now + LEASE_MS, later)
      if (!validation) return
      // One that fails is tried again later, and holds up no other.
      later.push(validation.batch.id)
      try {
        if (await this.#hasFile(validation)) await this.#validate(validation)
      } catch (error) {
        if (!isStopping()) onError(error)
      }
      await batches.renewValidation(validation, 0)
    }
  }

  /** Whether the file of a batch is on this machine. A batch whose file was deleted is refused. */
  async #hasFile(validation: Validation): Promise<boolean> {
    const { batches, files, disk, clock } = this.#deps
    const { owner, inputFileId = '' } = validation.batch
    const isHere = await disk.assertHas(inputFileId).then(
      () => true,
      () => false,
    )
    if (!isHere && !(await files.find(owner, inputFileId, clock.now())))
      await batches.refuse(validation, [GONE], clock.now())
    return isHere
  }

  /** The items of a batch's file, while the validation's lease is prolonged. Rejects at the end where it has faults. */
  async *#items(validation: Validation, faults: LineFaults): AsyncGenerator<NewItem<V1Request>> {
    const { batches, disk, clock, input, isStopping } = this.#deps
    const { endpoint, inputFileId = '' } = validation.batch
    let renewedAt = clock.now()
    const onLine = async (): Promise<void> => {
      if (isStopping()) throw new GatewayError('SHUTTING_DOWN')
      const now = clock.now()
      if (now - renewedAt <= RENEWED_AFTER_MS) return
      renewedAt = now
      if (!(await batches.renewValidation(validation, now + LEASE_MS))) throw new ValidationLost()
    }
    for await (const item of itemsOf(disk.pathOf(inputFileId), faults, { ...input, endpoint, onLine }))
      if (faults.all.length === 0) yield item
    if (faults.all.length > 0) throw new Faulty()
  }

  async #validate(validation: Validation): Promise<void> {
    const { batches, records, clock, notifyWork } = this.#deps
    const { owner, keyId, id: name } = validation.batch
    // That of the batch may be so old that its job would be taken for a remnant of an interrupted submission.
    const createdAt = Math.floor(clock.now())
    const faults = new LineFaults()
    const id = newId('batch_')
    try {
      const job = await records.submit(
        { id, owner, ...(keyId !== undefined && { keyId }), name, priority: 'normal', createdAt, isV1: true },
        this.#items(validation, faults),
        batches.begin(validation, id, clock.now()),
      )
      notifyWork(job.counts.total)
    } catch (error) {
      if (error instanceof Faulty) await batches.refuse(validation, faults.all, clock.now())
      else if (!(error instanceof ValidationLost)) throw error
    }
  }

  readonly #expire = async (): Promise<void> => {
    const { batches, service, clock } = this.#deps
    await this.#each(await batches.toExpire(clock.now()), batch => service.stop(batch, 'expired_at'))
  }

  readonly #finish = async (): Promise<void> => {
    const { batches, results, clock, keepMs } = this.#deps
    await this.#each(await batches.toFinish(), async batch => {
      const options = { now: Math.floor(clock.now()), ttlMs: keepMs }
      await batches.finish(batch.id, await countResults(batch, results, options))
    })
  }

  /** One that fails is tried again later, and holds up no other. */
  async #each(batches: readonly V1Batch[], work: (batch: V1Batch) => Promise<void>): Promise<void> {
    const { isStopping, onError } = this.#deps
    for (const batch of batches)
      try {
        await work(batch)
      } catch (error) {
        if (!isStopping()) onError(error)
      }
  }
}
