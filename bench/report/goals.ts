import type { TargetName } from '../targets/target.ts'
import type { WorkloadName } from '../workloads.ts'
import { cpuRatio, type Summary } from './summary.ts'

/** CPU per request of a target with our policies on, at most so many times that of another target in the same run. */
type Goal = { workload: WorkloadName; target: TargetName; other: TargetName; atMost: number }

const goals: readonly Goal[] = [
  { workload: 'json', target: 'parley-on', other: 'bare', atMost: 4 },
  { workload: 'json', target: 'parley-on', other: 'portkey', atMost: 0.4 },
  { workload: 'stream', target: 'parley-on', other: 'bare', atMost: 4 },
  { workload: 'json', target: 'parley-v1', other: 'bare', atMost: 4 },
  { workload: 'stream', target: 'parley-v1', other: 'bare', atMost: 3 },
]

export type GoalResult = Goal & ({ measured: false } | { measured: true; ratio: number; met: boolean })

/** Compares warm measurements with the goals. A missed goal is reported, and fails nothing: time is not a test. */
export function holdAgainstGoals(summaries: readonly Summary[]): readonly GoalResult[] {
  const warm = summaries.filter(summary => summary.warm)
  return goals.map(goal => {
    const ratio = cpuRatio(warm, goal.workload, goal.target, goal.other)
    return ratio === undefined
      ? { ...goal, measured: false }
      : { ...goal, measured: true, ratio, met: ratio <= goal.atMost }
  })
}

export function describeGoal(result: GoalResult): string {
  const what = `CPU per ${result.workload} request, ${result.target}: at most ${result.atMost} × ${result.other}`
  if (!result.measured) return `  –       ${what} (not measured, or not warm)`
  return `  ${result.met ? 'met   ' : 'MISSED'}  ${what}, measured ${result.ratio.toFixed(2)} ×`
}
