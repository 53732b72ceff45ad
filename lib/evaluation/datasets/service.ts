import type { Caller } from '../../caller.ts'
import { type Clock, DAY_MS } from '../../clock.ts'
import { GatewayError, storageFull } from '../../errors.ts'
import { mapInTurns } from '../../loop-turns.ts'
import { newId, ownerOrThrow } from '../ids.ts'
import type { PageOptions } from '../page.ts'
import type { DatasetRecords } from './records.ts'
import type { Dataset, DatasetLimits, DatasetRow } from './types.ts'

const MEGABYTE = 1_000_000
/** What a caller with a key may store. */
const OF_KEY: DatasetLimits = { datasets: 500, bytes: 200 * MEGABYTE }
/** What a guest or an address may store: anyone can be many of them for free. */
const WITHOUT_KEY: DatasetLimits = { datasets: 50, bytes: 20 * MEGABYTE }
const KEPT_WITHOUT_KEY_MS = 30 * DAY_MS
/** How long an upload may take; one that has not finished by then is removed. */
const LONGEST_UPLOAD_MS = 3_600_000

const SHOWN_ROWS = 5

const ID = /^dataset_[\da-f]{32}$/

export type DatasetServiceDeps = Readonly<{ records: DatasetRecords; clock: Pick<Clock, 'now'> }>

const full = ({ datasets, bytes }: DatasetLimits): GatewayError =>
  storageFull(
    `You may store at most ${datasets} data sets and ${bytes.toLocaleString('en')} bytes together; delete some.`,
  )

/** Data sets of callers. Each caller sees its own alone. */
export class DatasetService {
  readonly #deps: DatasetServiceDeps

  constructor(deps: DatasetServiceDeps) {
    this.#deps = deps
  }

  /** @throws GatewayError QUOTA_EXCEEDED where the owner has no room for it */
  async create(
    caller: Caller,
    { name, rows }: Readonly<{ name: string | undefined; rows: readonly DatasetRow[] }>,
  ): Promise<Dataset> {
    const { records, clock } = this.#deps
    const createdAt = Math.floor(clock.now())
    const contents = await mapInTurns(rows, row => JSON.stringify(row))
    const isKey = caller.kind === 'key'
    const dataset: Dataset = {
      id: newId('dataset_'),
      owner: ownerOrThrow(caller),
      name: name ?? `Data set of ${new Date(createdAt).toISOString().slice(0, 16).replace('T', ' ')}`,
      rows: rows.length,
      bytes: contents.reduce((sum, content) => sum + Buffer.byteLength(content), 0),
      createdAt,
      ...(!isKey && { expiresAt: createdAt + KEPT_WITHOUT_KEY_MS }),
    }
    const limits = isKey ? OF_KEY : WITHOUT_KEY
    if (!(await records.add(dataset, contents, limits))) throw full(limits)
    return dataset
  }

  /** @throws GatewayError NOT_FOUND */
  async find(caller: Caller, id: unknown): Promise<Dataset> {
    const owner = ownerOrThrow(caller)
    const found = typeof id === 'string' && ID.test(id) ? await this.#deps.records.find(owner, id) : undefined
    if (!found) throw new GatewayError('NOT_FOUND', 'There is no such data set.')
    return found
  }

  list(caller: Caller, options: PageOptions) {
    return this.#deps.records.list(ownerOrThrow(caller), options)
  }

  /** All rows of a data set, in their order. */
  rows({ id }: Dataset): AsyncIterable<DatasetRow> {
    return this.#deps.records.rows(id)
  }

  /** The first rows of a data set. */
  async firstRows(dataset: Dataset): Promise<readonly DatasetRow[]> {
    const rows: DatasetRow[] = []
    for await (const row of this.rows(dataset)) {
      if (rows.push(row) >= SHOWN_ROWS) break
    }
    return rows
  }

  /** Removes a data set. Its runs stay: they have rows of their own. @throws GatewayError NOT_FOUND */
  async remove(caller: Caller, id: unknown): Promise<Dataset> {
    const dataset = await this.find(caller, id)
    await this.#deps.records.remove(dataset.owner, dataset.id)
    return dataset
  }

  async sweep(): Promise<void> {
    const now = this.#deps.clock.now()
    await this.#deps.records.sweep(now, now - LONGEST_UPLOAD_MS)
  }
}
