/** `npm run bench`: the same load on Parley, on the floor beneath it, and on another gateway, in one run. */
import { cpuStealShare } from './cpu-steal.ts'
import { type Measurement, measure, type Surroundings } from './measure.ts'
import { type Options, readOptions, usage } from './options.ts'
import { canReadProcesses } from './process-group.ts'
import { describeGoal, holdAgainstGoals } from './report/goals.ts'
import { resultsDirectory, writeResults } from './report/results-file.ts'
import { summarise } from './report/summary.ts'
import { formatTables } from './report/table.ts'
import { findTargets } from './targets/index.ts'
import type { Target } from './targets/target.ts'
import { nextMessage, startWorker } from './worker.ts'
import { workloads } from './workloads.ts'

/** The share of CPU steal from which a run reports its figures as doubtful. */
const notQuiet = 0.05

type Broken = { name: string; reason: string }

const say = (line: string) => process.stdout.write(`${line}\n`)

async function main(options: Options): Promise<number> {
  const startedAt = new Date()
  if (!canReadProcesses) say('CPU and memory are read from /proc, which only Linux has: they are left out.')
  const { targets, unavailable } = await findTargets(options.targets)
  for (const { name, reason } of unavailable) say(`${name}: not available, ${reason}`)
  const lost = cpuStealShare()
  if (lost > notQuiet)
    say(`This machine is not quiet: ${Math.round(lost * 100)} % of the time goes to others.`)
  const upstream = startWorker('upstream.ts')
  const { port: upstreamPort } = await nextMessage<{ port: number }>(upstream)
  const load = startWorker('load/generator.ts')
  const surroundings = { upstreamPort, load, options, profileDirectory: resultsDirectory }
  const { measurements, broken } = await measureAll(targets, surroundings)
  const summaries = summarise(measurements)
  const goals = holdAgainstGoals(summaries)
  const circumstances = { startedAt, cpuStealShare: lost, options, unavailable }
  const file = writeResults({ ...circumstances, broken, measurements, summaries, goals })
  say(`\n${formatTables(summaries)}\n\nGoals\n${goals.map(describeGoal).join('\n')}\n\nAll figures: ${file}`)
  if (lost > notQuiet)
    say('Taken on a machine that was not quiet: repeat it on one that is before you believe it.')
  return sayFailures(measurements, broken)
}

/** Rounds over all targets, not targets over all rounds: disturbances of the machine then affect them alike. */
async function measureAll(targets: readonly Target[], surroundings: Surroundings) {
  const { options } = surroundings
  const measurements: Measurement[] = []
  const broken: Broken[] = []
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const workload of workloads.filter(({ name }) => options.workloads.includes(name))) {
      for (const target of targets) {
        if (broken.some(({ name }) => name === target.name)) continue
        try {
          const measurement = await measure(target, workload, round, surroundings)
          measurements.push(measurement)
          say(progress(measurement, options.rounds))
        } catch (error) {
          broken.push({ name: target.name, reason: String(error) })
          say(String(error))
        }
      }
    }
  }
  return { measurements, broken }
}

function progress(measurement: Measurement, rounds: number): string {
  const { round, workload, target, warm, requestsPerSecond, cpuMicrosPerRequest, failures } = measurement
  const where = `round ${round}/${rounds}  ${workload.padEnd(12)}  ${target.padEnd(11)}`
  const rate = `${Math.round(requestsPerSecond).toString().padStart(6)} requests/s`
  const cpu = cpuMicrosPerRequest === undefined ? '' : `  ${Math.round(cpuMicrosPerRequest)} µs/request`
  if (failures > 0) return `${where}  FAILED`
  return `${where}  ${rate}${cpu}${warm ? '' : '  (not warm: this machine is too slow)'}`
}

function sayFailures(measurements: readonly Measurement[], broken: readonly Broken[]): number {
  const failed = measurements.filter(({ failures }) => failures > 0)
  for (const { target, workload, round, failures, firstFailure } of failed) {
    say(`FAILED  ${target}, ${workload}, round ${round}: ${failures} answers. The first: ${firstFailure}`)
  }
  for (const { name, reason } of broken) say(`FAILED  ${name}: ${reason}`)
  return failed.length + broken.length === 0 ? 0 : 1
}

function optionsOrExit(): Options {
  try {
    const options = readOptions(process.argv.slice(2))
    if (options !== undefined) return options
    say(usage)
    process.exit(0)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}\n`)
    process.exit(2)
  }
}

process.chdir(`${import.meta.dirname}/..`)
process.exit(await main(optionsOrExit()))
