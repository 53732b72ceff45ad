import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { dirname, join } from 'node:path'
import type { Measurement } from '../measure.ts'
import type { Options } from '../options.ts'
import type { GoalResult } from './goals.ts'
import type { Summary } from './summary.ts'

export type Results = {
  startedAt: Date
  cpuStealShare: number
  options: Options
  unavailable: readonly { name: string; reason: string }[]
  /** Targets that did not start. */
  broken: readonly { name: string; reason: string }[]
  measurements: readonly Measurement[]
  summaries: readonly Summary[]
  goals: readonly GoalResult[]
}

export const resultsDirectory = join(import.meta.dirname, '..', 'results')

/** Writes a run and its machine as JSON; returns the path. */
export function writeResults({ startedAt, ...results }: Results): string {
  const dated = join(resultsDirectory, `${startedAt.toISOString().replaceAll(':', '-')}.json`)
  const file = results.options.jsonFile ?? dated
  const machine = {
    node: process.version,
    system: `${type()} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ date: startedAt.toISOString(), machine, ...results }, null, 2)}\n`)
  return file
}
