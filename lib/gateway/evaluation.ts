import { LRUCache } from 'lru-cache'
import { modelFault, openAiModel } from '../batch/item-models.ts'
import type { BatchRecords } from '../batch/types.ts'
import type { Clock } from '../clock.ts'
import { CHECKS_PROGRAM, Checks } from '../evaluation/checks/checks.ts'
import { DatasetRecords } from '../evaluation/datasets/records.ts'
import { DatasetService } from '../evaluation/datasets/service.ts'
import { evaluate } from '../evaluation/evaluate.ts'
import { ModelCaller, type ModelCallerDeps } from '../evaluation/model-caller.ts'
import { RunRecords } from '../evaluation/runs/records.ts'
import { runItem } from '../evaluation/runs/run-item.ts'
import { RunService } from '../evaluation/runs/service.ts'
import type { Plan } from '../evaluation/runs/types.ts'
import type { Grading } from '../evaluation/types.ts'
import { withModel } from '../evaluation/with-model.ts'
import { within } from '../evaluation/within.ts'
import { reportBatchItem, reportEvaluationCall } from '../observability/request-record.ts'
import type { RequestContext } from '../request-context.ts'
import type { EvaluateBody } from '../validation/evaluation.ts'
import type { CurrentConfig } from './live-config.ts'
import type { Runtime } from './runtime.ts'

/** How long one check of an answer by a client's expression or schema may take. */
const CHECK_MS = 2_000
const MOST_PLANS = 100

type Deps = Readonly<{ runtime: Runtime; current: CurrentConfig }>

/** The first model for embeddings that is set up; without one, the default model, whose provider may have them too. */
const embeddingModelOf = ({ catalog, chatDefaults }: CurrentConfig['now']): string =>
  catalog.list().find(({ facts, available }) => available && facts.kind === 'embedding')?.target.name ??
  chatDefaults.model

const commonOf = (current: CurrentConfig) => ({
  defaultModel: () => current.now.chatDefaults.model,
  embeddingModel: () => embeddingModelOf(current.now),
  modelNamed: (name: string) => openAiModel(name, current.now),
})

/** Calls of models for a request, which waits for them. */
const liveCalls = ({ runtime, current }: Deps): ModelCallerDeps => ({
  ...commonOf(current),
  answer: call => current.now.answer(call),
  clock: runtime.clock,
  onEnd: reportEvaluationCall(runtime),
  timeoutMs: runtime.env.REQUEST_TIMEOUT_MS,
  endAt: undefined,
  maxResponseBytes: runtime.env.BATCH_MAX_RESPONSE_BYTES,
  isBackground: false,
})

/** Calls of models for items of batches. */
const backgroundCalls = ({ runtime, current }: Deps): ModelCallerDeps => ({
  ...liveCalls({ runtime, current }),
  answer: call => current.now.answerItem(call),
  onEnd: reportBatchItem(runtime),
  timeoutMs: runtime.env.BATCH_FIRST_TOKEN_TIMEOUT_MS,
  isBackground: true,
})

/** An answer's grades, with what these cost and how long they took. */
export type Evaluated = Readonly<{ grading: Grading; costPicoUsd: number | undefined; latencyMs: number }>

export type Evaluation = Readonly<{
  /** Grades one answer, on behalf of a request's caller. Rejects with TIMEOUT where it takes longer than a request may. */
  evaluate: (context: RequestContext, body: EvaluateBody) => Promise<Evaluated>
  checks: Checks
}>

export const buildEvaluation = (deps: Deps): Evaluation => {
  const { clock } = deps.runtime
  const checks = new Checks({ clock, limitMs: CHECK_MS, program: CHECKS_PROGRAM })
  const calls = liveCalls(deps)
  return {
    checks,
    evaluate(context, { graders, model, ...subject }) {
      const startedAt = clock.now()
      const limitMs = context.startedAt + calls.timeoutMs - startedAt
      return within({ clock, limitMs, signal: context.signal }, async signal => {
        const own = { ...context, signal }
        const models = new ModelCaller(own, { ...calls, endAt: startedAt + limitMs })
        const begun = () => context.reservation?.spend()
        const deps = { models, checks: checks.for(own), begun }
        const grading = await evaluate(withModel(graders, model), subject, deps)
        return { grading, costPicoUsd: models.costPicoUsd, latencyMs: clock.now() - startedAt }
      })
    },
  }
}

type RunsDeps = Deps &
  Readonly<{
    checks: Checks
    jobs: BatchRecords
    /** The clock that all processes on the database share. */
    clock: Clock
    notifyWork: (items: number) => void
    cancelJob: (jobId: string) => void
  }>

/** Data sets and their runs. */
export type Evaluations = Readonly<{
  datasets: DatasetService
  runs: RunService
  sweep: () => Promise<void>
}>

export const buildRuns = ({ runtime, current, jobs, ...deps }: RunsDeps): Evaluations => {
  const { records } = runtime.database
  const datasets = new DatasetService({ records: new DatasetRecords(records), clock: deps.clock })
  const runs = new RunRecords(records, jobs)
  const service = new RunService({
    ...deps,
    runs,
    jobs,
    datasets,
    timeoutMs: runtime.env.REQUEST_TIMEOUT_MS,
    mostItems: runtime.env.BATCH_MAX_ITEMS,
    modelFault: (model, isChat) => modelFault(openAiModel(model, current.now), current.now, isChat),
  })
  const sweep = async () => {
    await datasets.sweep()
    await runs.sweep()
  }
  return { datasets, runs: service, sweep }
}

/** What runs the items of evaluations in a worker. A plan does not change. */
export const evaluationItems = (deps: Deps & Readonly<{ checks: Checks; jobs: BatchRecords }>) => {
  const records = new RunRecords(deps.runtime.database.records, deps.jobs)
  const plans = new LRUCache<string, Plan>({ max: MOST_PLANS })
  return runItem({
    records,
    planOf: async id => {
      const known = plans.get(id) ?? (await records.planOf(id))
      if (known) plans.set(id, known)
      return known
    },
    models: backgroundCalls(deps),
    checks: deps.checks,
  })
}
