import { isoTime, isoTimeOrNull } from '../../clock.ts'
import type { Dataset, DatasetRow } from '../../evaluation/datasets/types.ts'
import type { Interval } from '../../evaluation/report/statistics.ts'
import type { GraderReport, Report, VariantReport } from '../../evaluation/report/types.ts'
import type { Plan, Run, RunItem } from '../../evaluation/runs/types.ts'
import type { Grade, Grading } from '../../evaluation/types.ts'
import { withModel } from '../../evaluation/with-model.ts'
import { usdOf } from '../../money.ts'
import type { RunBody } from '../../validation/evaluation-runs.ts'
import { costHeaders, type RouteResponse } from '../route-response.ts'

const usdOrNull = (picoUsd: number | undefined): number | null =>
  picoUsd === undefined ? null : usdOf(picoUsd)

const gradeJson = ({
  name,
  type,
  score = null,
  passed,
  reason,
}: Omit<Grade, 'score'> & { score?: number | null }) => ({
  name,
  type,
  score,
  passed,
  reason,
})

/** Grades of an answer. `score` is null where it could not be determined. */
const gradingJson = ({ score, passed, grades }: Grading) => ({
  score: score ?? null,
  passed,
  graders: grades.map(gradeJson),
})

/** The response to one evaluation. `costUsd` is that of the grading; null where a price is unknown. */
export const evaluationResponse = (
  requestId: string,
  grading: Grading,
  { costPicoUsd, latencyMs }: Readonly<{ costPicoUsd: number | undefined; latencyMs: number }>,
): RouteResponse => ({
  json: {
    requestId,
    ...gradingJson(grading),
    costUsd: usdOrNull(costPicoUsd),
    latencyMs: Math.round(latencyMs),
  },
  headers: costPicoUsd === undefined ? {} : costHeaders({ inputTokens: 0, outputTokens: 0, costPicoUsd }),
})

export const datasetJson = ({ id, name, rows, bytes, createdAt, expiresAt }: Dataset) => ({
  id,
  name,
  rows,
  bytes,
  createdAt: isoTime(createdAt),
  expiresAt: isoTimeOrNull(expiresAt),
})

/** A data set with its first rows. */
export const datasetDetailJson = (dataset: Dataset, rows: readonly DatasetRow[]) => ({
  ...datasetJson(dataset),
  firstRows: rows,
})

/** What a request asks a run to do. */
export const planOf = ({ variants, graders, model, threshold }: RunBody): Plan => ({
  variants,
  graders: withModel(graders, model),
  ...(threshold !== undefined && { threshold }),
})

const isOpen = ({ state }: Run): boolean => state === 'queued' || state === 'running'

export const runJson = (run: Run) => {
  const { id, name, state, dataset, counts, plan } = run
  const open = counts.queued + counts.running
  return {
    id,
    name,
    state,
    dataset,
    counts,
    progress: isOpen(run) ? (counts.total - open) / counts.total : 1,
    variants: plan.variants,
    graders: plan.graders,
    threshold: plan.threshold ?? null,
    costUsd: run.costUsd,
    unpricedItems: run.unpriced,
    createdAt: isoTime(run.createdAt),
    startedAt: isoTimeOrNull(run.startedAt),
    endedAt: isoTimeOrNull(run.endedAt),
  }
}

/** An estimate with its 95 % confidence interval; null where there is nothing to estimate from. */
const intervalJson = (interval: Interval | undefined) =>
  interval ? { value: interval.value, low: interval.low, high: interval.high } : null

const graderJson = ({ name, type, score, passRate }: GraderReport) => ({
  name,
  type,
  score: intervalJson(score),
  passRate: intervalJson(passRate),
})

const variantJson = (report: VariantReport) => {
  const { variant, rows, failures, unpriced, wins, ties, losses, latencyMs } = report
  const isUnknown = unpriced > 0 && unpriced === rows - failures
  return {
    name: variant.name,
    model: variant.model,
    rows,
    failures,
    score: intervalJson(report.score),
    passRate: intervalJson(report.passRate),
    graders: report.graders.map(graderJson),
    costUsd: isUnknown ? null : usdOf(report.costPicoUsd),
    gradingCostUsd: usdOf(report.gradingCostPicoUsd),
    unpricedRows: unpriced,
    latencyMs: { p50: latencyMs.p50 ?? null, p95: latencyMs.p95 ?? null },
    wins,
    ties,
    losses,
    meetsThreshold: report.meetsThreshold ?? null,
  }
}

const itemJson = ({ state, answer, grading, error }: RunItem, name: string) => ({
  variant: name,
  state,
  ...(answer && {
    answer: answer.text,
    costUsd: usdOrNull(answer.costPicoUsd),
    latencyMs: answer.latencyMs,
  }),
  ...(grading && gradingJson(grading)),
  ...(error && { error }),
})

/** A report as JSON: the variants side by side. */
export const reportJson = ({ run, variants, passed }: Report) => ({
  id: run.id,
  name: run.name,
  state: run.state,
  dataset: run.dataset,
  counts: run.counts,
  threshold: run.plan.threshold ?? null,
  passed: passed ?? null,
  createdAt: isoTime(run.createdAt),
  startedAt: isoTimeOrNull(run.startedAt),
  endedAt: isoTimeOrNull(run.endedAt),
  variants: variants.map(variantJson),
})

/** Every row of a report with all of its answers, which are read in turns. */
export const reportRows = ({ run, items }: Report) => {
  const { variants } = run.plan
  return [...Map.groupBy(items, ({ row }) => row).values()].map(row => ({
    id: row[0]?.rowId ?? '',
    answers: () => row.map(item => itemJson(item, variants[item.variant]?.name ?? '')),
  }))
}

export type AnswerJson = ReturnType<typeof itemJson>

export type ReportJson = ReturnType<typeof reportJson>
