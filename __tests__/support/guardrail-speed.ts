/**
 * Measures the rails in a process of its own, as they run in the gateway: the test runner changes modules so that the
 * calls between them are slower. Prints JSON.
 */
import { injection } from '../../lib/guardrails/injection/rail.ts'
import { sensitiveData } from '../../lib/guardrails/sensitive/rail.ts'
import { SpanRails } from '../../lib/guardrails/span-rails.ts'
import { atOnce, inTurns, type Steps } from '../../lib/loop-turns.ts'
import { DENSE_UNITS, SPEED_UNITS, type SpeedFigures } from './guardrail-texts.ts'
import { slowness } from './machine-speed.ts'

const LENGTH = 100_000
const TIMES = 10
/** Runs of which the least tells what the work costs: a machine may be busy with other work, or slow for a moment. */
const RUNS = process.env.SOAK ? 10 : 2
const MOST_RUNS = 12
const MOST_LONG_RUNS = 6
/** The time from which on it is measured again: a tick of the clock below the bound. */
const NEARLY_MS = 16
/** The growth from which on it is measured again: how many times as long as its tenths all takes. */
const NEARLY_GROWTH = 1.5
/** The clock ticks in 4 ms: a tenth that takes less is not told from one that takes this. */
const SURE_TENTH_MS = 12

const fill = (unit: string, length: number): string =>
  unit.repeat(Math.ceil(length / unit.length)).slice(0, length)

const spans = new SpanRails([sensitiveData], 'user')
const inspectSpans = (text: string) => spans.inspect(text)
const inspectInjection = (text: string) => injection.inspect({ text, place: 'user' })
type Inspect = (text: string) => Steps<unknown>

/** The CPU time that this thread would use on a quiet machine, in milliseconds. */
const cpuMs = (inspect: Inspect, text: string): number => {
  const slownessBefore = slowness()
  const before = process.threadCpuUsage()
  atOnce(inspect(text))
  const ms = process.threadCpuUsage(before).user / 1000
  return (2 * ms) / (slownessBefore + slowness())
}

/** The least of several runs: the machine may be busy with other work. */
const leastMs = (inspect: Inspect, text: string): number => {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < RUNS || (run < MOST_RUNS && least >= NEARLY_MS); run += 1) {
    least = Math.min(least, cpuMs(inspect, text))
  }
  return least
}

interface LongRun {
  readonly growth: number
  readonly longestTurnMs: number
}

/**
 * One inspection of a long text in turns of the event loop: how many times its CPU time is that of its tenths, and the
 * most that one turn takes. A tenth is measured right before and after, since a machine's speed changes by the second.
 */
const longRun = async (inspect: Inspect, tenth: string): Promise<LongRun> => {
  const text = tenth.repeat(TIMES)
  const tenthBefore = cpuMs(inspect, tenth)
  const slownessBefore = slowness()
  const begin = process.threadCpuUsage()
  let longest = 0
  let last = begin
  let isRunning = true
  const look = (): void => {
    longest = Math.max(longest, process.threadCpuUsage(last).user / 1000)
    last = process.threadCpuUsage()
    if (isRunning) setImmediate(look)
  }
  setImmediate(look)
  await inTurns(inspect(text))
  isRunning = false
  const cpuOfAllMs = process.threadCpuUsage(begin).user / 1000
  const slow = (slownessBefore + slowness()) / 2
  const tenthMs = Math.max(SURE_TENTH_MS, (tenthBefore + cpuMs(inspect, tenth)) / 2)
  return { growth: cpuOfAllMs / slow / (TIMES * tenthMs), longestTurnMs: longest / slow }
}

/** The least of both, of one run or, where a turn or all took long, of several. */
const leastLongRun = async (inspect: Inspect, tenth: string): Promise<LongRun> => {
  let least = await longRun(inspect, tenth)
  const isLong = () => least.longestTurnMs >= NEARLY_MS || least.growth >= NEARLY_GROWTH
  for (let run = 1; run < MOST_LONG_RUNS && isLong(); run += 1) {
    const { growth, longestTurnMs } = await longRun(inspect, tenth)
    least = {
      growth: Math.min(least.growth, growth),
      longestTurnMs: Math.min(least.longestTurnMs, longestTurnMs),
    }
  }
  return least
}

const figures: Record<string, SpeedFigures> = {}
for (const [name, unit] of Object.entries({ ...SPEED_UNITS, ...DENSE_UNITS })) {
  const text = fill(unit, LENGTH)
  const sensitiveDataMs = leastMs(inspectSpans, text)
  const sensitiveRun = await leastLongRun(inspectSpans, text)
  const injectionRun = await leastLongRun(inspectInjection, text)
  figures[name] = {
    sensitiveDataMs,
    sensitiveDataGrowth: sensitiveRun.growth,
    injectionGrowth: injectionRun.growth,
    longestTurnMs: Math.max(sensitiveRun.longestTurnMs, injectionRun.longestTurnMs),
  }
}
process.stdout.write(JSON.stringify(figures))
