import type { BatchRecords, NewItem } from '../../batch/types.ts'
import { type Caller, keyIdOf } from '../../caller.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { invalidInput } from '../../validation/zod.ts'
import type { CheckedFor, Checks } from '../checks/checks.ts'
import type { DatasetService } from '../datasets/service.ts'
import type { Dataset, DatasetRow } from '../datasets/types.ts'
import { assertGraders, lacking } from '../grade.ts'
import { newId, ownerOrThrow } from '../ids.ts'
import type { PageOptions } from '../page.ts'
import { reportOf } from '../report/report.ts'
import type { Report } from '../report/types.ts'
import { within } from '../within.ts'
import { itemIdOf, type RunRecords } from './records.ts'
import type { NewRun, Plan, Run } from './types.ts'

export type RunServiceDeps = Readonly<{
  runs: RunRecords
  jobs: Pick<BatchRecords, 'submit' | 'cancel' | 'remove'>
  datasets: DatasetService
  checks: Checks
  clock: Clock
  /** How long the graders of a plan are checked, milliseconds. */
  timeoutMs: number
  /** Most rows times variants of a run. */
  mostItems: number
  /** What is wrong with a model's name; undefined where it can be called. */
  modelFault: (model: string, isChat: boolean) => string | undefined
  /** Signals that so many items wait. */
  notifyWork: (items: number) => void
  /** Aborts a job's items that run in this process. */
  cancelJob: (jobId: string) => void
}>

const ID = /^eval_[\da-f]{32}$/
/** Measured by the run itself. */
const MEASURED: ReadonlySet<string> = new Set(['costUsd', 'latencyMs'])
const MOST_FAULTS = 20
/** Rows times variants, whatever the limit of batches: a report holds all of them. */
const MOST_ITEMS = 20_000

const tooLate = (what: string): GatewayError =>
  new GatewayError('CONFLICT', `The evaluation ${what}.`, { retryable: false })

export type RunOptions = Readonly<{ name: string | undefined; dataset: Dataset; plan: Plan }>

/** Runs of data sets. Each is a batch job of an item for every row and variant, so it outlives the process. */
export class RunService {
  readonly #deps: RunServiceDeps

  constructor(deps: RunServiceDeps) {
    this.#deps = deps
  }

  /** @throws GatewayError INVALID_INPUT for a plan that cannot be run on the data set */
  async assertPlan(
    { plan, dataset }: Pick<RunOptions, 'plan' | 'dataset'>,
    checkedFor: CheckedFor,
  ): Promise<void> {
    const { modelFault, checks, clock, timeoutMs } = this.#deps
    const mostItems = Math.min(MOST_ITEMS, this.#deps.mostItems)
    const { variants, graders } = plan
    const items = variants.length * dataset.rows
    if (items > mostItems) {
      const message = `make ${items.toLocaleString('en')} items of ${dataset.rows.toLocaleString('en')} rows; at most ${mostItems.toLocaleString('en')} are allowed`
      throw invalidInput([{ path: 'variants', message }])
    }
    const models = [
      ...variants.map(({ model }, index) => ({ model, path: `variants[${index}].model`, isChat: true })),
      ...graders.flatMap((spec, index) =>
        (spec.type === 'judge' || spec.type === 'similarity') && spec.model !== undefined
          ? [{ model: spec.model, path: `graders[${index}].model`, isChat: spec.type === 'judge' }]
          : [],
      ),
    ]
    const faults = models.flatMap(({ model, path, isChat }) => {
      const message = modelFault(model, isChat)
      return message === undefined ? [] : [{ path, message }]
    })
    if (faults.length > 0) throw invalidInput(faults)
    const { caller, signal } = checkedFor
    await within({ clock, limitMs: timeoutMs, signal }, signal =>
      assertGraders(graders, checks.for({ caller, signal })),
    )
    await this.#assertRows(plan, dataset)
  }

  /** Accepts a run whole, or not at all. */
  async start(caller: Caller, { name, dataset, plan }: RunOptions): Promise<Run> {
    const { runs, jobs, clock, notifyWork } = this.#deps
    const createdAt = Math.floor(clock.now())
    const keyId = keyIdOf(caller)
    const run: NewRun = {
      id: newId('eval_'),
      owner: ownerOrThrow(caller),
      name: name ?? `Evaluation of ${dataset.name}`,
      dataset: { id: dataset.id, name: dataset.name, rows: dataset.rows },
      jobId: newId('batch_'),
      plan,
      createdAt,
    }
    const job = await jobs.submit(
      {
        id: run.jobId,
        owner: run.owner,
        ...(keyId !== undefined && { keyId }),
        name: run.id,
        priority: 'normal',
        createdAt,
        isV1: true,
      },
      this.#itemsOf(run, dataset),
      runs.adding(run),
    )
    notifyWork(job.counts.queued)
    return this.find(caller, run.id)
  }

  /** @throws GatewayError NOT_FOUND */
  async find(caller: Caller, id: unknown): Promise<Run> {
    const owner = ownerOrThrow(caller)
    const run = typeof id === 'string' && ID.test(id) ? await this.#deps.runs.find(owner, id) : undefined
    if (!run) throw new GatewayError('NOT_FOUND', 'There is no such evaluation.')
    return run
  }

  /** Newest first. */
  list(caller: Caller, options: PageOptions) {
    return this.#deps.runs.list(ownerOrThrow(caller), options)
  }

  /** What has been graded so far. @throws GatewayError NOT_FOUND */
  async report(caller: Caller, id: unknown): Promise<Report> {
    const run = await this.find(caller, id)
    return reportOf(run, this.#deps.runs.items(run))
  }

  /** Ends a run: what is not graded yet is not asked for. @throws GatewayError CONFLICT where it has ended */
  async cancel(caller: Caller, id: unknown): Promise<Run> {
    const { jobs, clock, cancelJob } = this.#deps
    const { owner, jobId } = await this.find(caller, id)
    if (!(await jobs.cancel(owner, jobId, clock.now()))) throw tooLate('has already ended')
    cancelJob(jobId)
    return this.find(caller, id)
  }

  /** Removes a run that has ended. @throws GatewayError CONFLICT where it has not */
  async remove(caller: Caller, id: unknown): Promise<Run> {
    const { jobs, runs } = this.#deps
    const run = await this.find(caller, id)
    if (!(await jobs.remove(run.owner, run.jobId))) throw tooLate('has not ended yet. Cancel it first')
    await runs.sweep()
    return run
  }

  async *#itemsOf({ id, plan }: NewRun, dataset: Dataset): AsyncGenerator<NewItem> {
    for await (const row of this.#deps.datasets.rows(dataset))
      for (const [variant, { model }] of plan.variants.entries())
        yield { id: itemIdOf(variant, row.id), request: { evaluation: id, variant, model, row } }
  }

  /** Every row has what the graders need. */
  async #assertRows({ graders }: Plan, dataset: Dataset): Promise<void> {
    const faults: Readonly<{ path: string; message: string }>[] = []
    let index = 0
    for await (const row of this.#deps.datasets.rows(dataset)) {
      const has = (what: keyof DatasetRow | 'costUsd' | 'latencyMs') =>
        MEASURED.has(what) || row[what as keyof DatasetRow] !== undefined
      for (const { path, message } of lacking(graders, has))
        faults.push({ path: `dataset.rows[${index}].${path}`, message })
      if (faults.length >= MOST_FAULTS) break
      index += 1
    }
    if (faults.length > 0) throw invalidInput(faults)
  }
}
