import type { Run, RunItem, Variant } from '../runs/types.ts'
import type { GraderSpec } from '../types.ts'
import { meanInterval, quantile, shareInterval } from './statistics.ts'
import type { GraderReport, Report, VariantReport } from './types.ts'

const MEDIAN = 0.5
const P95 = 0.95
/** Characters of each answer that a report shows. */
const SHOWN_CHARACTERS = 2_000
/** Scores closer than this are equal. */
const EPSILON = 1e-9

const isOver = ({ state }: RunItem): boolean => state === 'succeeded' || state === 'failed'

/** The score of an item that has ended. One without an answer, or without any score, has 0. */
const scoreOf = ({ grading }: RunItem): number => grading?.score ?? 0

const graderReport = async (
  { name, type }: GraderSpec,
  index: number,
  ended: readonly RunItem[],
): Promise<GraderReport> => {
  const grades = ended.flatMap(({ grading }) => grading?.grades[index] ?? [])
  const scores = grades.flatMap(({ score }) => score ?? [])
  return {
    name,
    type,
    score: await meanInterval(scores),
    passRate: shareInterval(grades.filter(({ passed }) => passed).length, grades.length),
  }
}

type Comparison = Readonly<{ wins: number; ties: number; losses: number }>

/** How often each variant has the best score of a row. A row counts once all variants have ended it. */
const compared = (rows: readonly (readonly RunItem[])[], count: number): readonly Comparison[] => {
  const found = Array.from({ length: count }, () => ({ wins: 0, ties: 0, losses: 0 }))
  for (const row of rows) {
    if (row.length < count || count < 2) continue
    const best = Math.max(...row.map(scoreOf))
    const leaders = row.filter(item => best - scoreOf(item) < EPSILON)
    for (const item of row) {
      const of = found[item.variant]
      if (!of) continue
      if (!leaders.includes(item)) of.losses += 1
      else if (leaders.length === 1) of.wins += 1
      else of.ties += 1
    }
  }
  return found
}

const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((total, value = 0) => total + value, 0)

const variantReport = async (
  variant: Variant,
  ended: readonly RunItem[],
  { plan }: Run,
  comparison: Comparison,
): Promise<VariantReport> => {
  const answers = ended.flatMap(({ answer }) => answer ?? [])
  const latencies = answers.map(({ latencyMs }) => latencyMs)
  const score = await meanInterval(ended.map(scoreOf))
  const graders: GraderReport[] = []
  for (const [index, spec] of plan.graders.entries()) graders.push(await graderReport(spec, index, ended))
  const { threshold } = plan
  return {
    variant,
    rows: ended.length,
    failures: ended.filter(({ state }) => state === 'failed').length,
    score,
    passRate: shareInterval(ended.filter(({ grading }) => grading?.passed === true).length, ended.length),
    graders,
    costPicoUsd: sum(answers.map(({ costPicoUsd }) => costPicoUsd)),
    gradingCostPicoUsd: sum(ended.map(({ grading }) => grading?.costPicoUsd)),
    unpriced: answers.filter(({ costPicoUsd }) => costPicoUsd === undefined).length,
    latencyMs: { p50: quantile(latencies, MEDIAN), p95: quantile(latencies, P95) },
    ...comparison,
    ...(threshold !== undefined && score && { meetsThreshold: score.value + EPSILON >= threshold }),
  }
}

/** The item with the beginning of its answer: all of them are in memory at once. */
const shortened = (item: RunItem): RunItem =>
  item.answer
    ? { ...item, answer: { ...item.answer, text: item.answer.text.slice(0, SHOWN_CHARACTERS) } }
    : item

const hasEnded = ({ state }: Run): boolean => state === 'completed' || state === 'failed'

/** Compares the variants of a run by the items that have ended, of which there may be none yet. */
export const reportOf = async (run: Run, all: AsyncIterable<RunItem>): Promise<Report> => {
  const items: RunItem[] = []
  for await (const item of all) items.push(shortened(item))
  const ended = items.filter(isOver)
  const { variants: compare, threshold } = run.plan
  const comparisons = compared([...Map.groupBy(ended, ({ row }) => row).values()], compare.length)
  const variants: VariantReport[] = []
  for (const [index, variant] of compare.entries()) {
    const own = ended.filter(item => item.variant === index)
    variants.push(await variantReport(variant, own, run, comparisons[index] as Comparison))
  }
  return {
    run,
    variants,
    ...(threshold !== undefined &&
      hasEnded(run) && { passed: variants.every(({ meetsThreshold }) => meetsThreshold === true) }),
    items,
  }
}
