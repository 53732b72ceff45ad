import { median } from '../load/percentile.ts'
import type { Figures, Measurement } from '../measure.ts'
import type { TargetName } from '../targets/target.ts'
import type { WorkloadName } from '../workloads.ts'

/** A target's rounds of one workload in one row: the median of each figure. */
export type Summary = Figures & {
  rounds: number
  /** The lowest and highest round, to tell noise from difference. */
  cpuMicrosRange?: readonly [number, number]
}

/** One row for each target and workload that was measured, in the order of the first round. */
export function summarise(measurements: readonly Measurement[]): readonly Summary[] {
  const groups = Map.groupBy(measurements, ({ target, workload }) => `${target} ${workload}`)
  return [...groups.values()].flatMap(rounds => (rounds[0] ? [summaryOf(rounds[0], rounds)] : []))
}

function summaryOf({ target, workload }: Measurement, rounds: readonly Measurement[]): Summary {
  const cpu = rounds.flatMap(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest ?? [])
  const memory = median(rounds.flatMap(({ peakMemoryMiB }) => peakMemoryMiB ?? []))
  const cpuMedian = median(cpu)
  const firstFailure = rounds.find(round => round.firstFailure !== undefined)?.firstFailure
  return {
    target,
    workload,
    rounds: rounds.length,
    warm: rounds.every(({ warm }) => warm),
    requests: sum(rounds.map(({ requests }) => requests)),
    failures: sum(rounds.map(({ failures }) => failures)),
    ...(firstFailure === undefined ? {} : { firstFailure }),
    requestsPerSecond: median(rounds.map(round => round.requestsPerSecond)) ?? 0,
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)) ?? 0,
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)) ?? 0,
    ...(cpuMedian === undefined
      ? {}
      : { cpuMicrosPerRequest: cpuMedian, cpuMicrosRange: [Math.min(...cpu), Math.max(...cpu)] as const }),
    ...(memory === undefined ? {} : { peakMemoryMiB: memory }),
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** How many times the CPU of the other target a request costs here; `undefined` where either was not measured. */
export function cpuRatio(
  summaries: readonly Summary[],
  workload: WorkloadName,
  target: TargetName,
  other: TargetName,
): number | undefined {
  const cpuOf = (name: TargetName) => {
    const found = summaries.find(summary => summary.workload === workload && summary.target === name)
    return found?.failures === 0 ? found.cpuMicrosPerRequest : undefined
  }
  const cpu = cpuOf(target)
  const otherCpu = cpuOf(other)
  return cpu === undefined || otherCpu === undefined ? undefined : cpu / otherCpu
}
