/**
 * Measures the rails in a process of its own, as they run in the gateway: the test runner changes modules so that the
 * calls between them are slower. Prints JSON.
 */
import { injection } from '../../lib/guardrails/injection/rail.ts'
import { sensitiveData } from '../../lib/guardrails/sensitive/rail.ts'
import { SpanRails } from '../../lib/guardrails/span-rails.ts'
import { inTurns } from '../../lib/loop-turns.ts'
import { DENSE_UNITS, SPEED_UNITS, type SpeedFigures } from './guardrail-texts.ts'

const LENGTH = 100_000
/** Of a machine that is busy with other work, or slow for a moment, the least of more runs tells what the work costs. */
const RUNS = process.env.SOAK ? 10 : 2
const MOST_RUNS = 12
const MOST_LONG_RUNS = 4
/** From here on it is measured again: a tick of the clock below the bound. */
const NEARLY_MS = 16
/** Likewise, where all takes longer than the clock can be wrong, and so many times as long as a tenth of the text. */
const NEARLY_ALL_MS = 200
const NEARLY_TIMES = 12

const fill = (unit: string, length: number): string =>
  unit.repeat(Math.ceil(length / unit.length)).slice(0, length)

const finish = <T>(steps: Generator<void, T>): T => {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

const spans = new SpanRails([sensitiveData], 'user')
const inspectSpans = (text: string) => spans.inspect(text)
const inspectInjection = (text: string) => injection.inspect({ text, place: 'user' })
type Inspect = (text: string) => Generator<void, unknown>

/** The least CPU time of this thread of several runs, in milliseconds: the machine may be busy with other work. */
const leastMs = (inspect: Inspect, text: string): number => {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < RUNS || (run < MOST_RUNS && least >= NEARLY_MS); run += 1) {
    const before = process.threadCpuUsage()
    finish(inspect(text))
    least = Math.min(least, process.threadCpuUsage(before).user / 1000)
  }
  return least
}

interface LongRun {
  readonly totalMs: number
  readonly longestTurnMs: number
}

/** The CPU time of one inspection in turns of the event loop, and the most that one turn takes. */
const longRun = async (inspect: Inspect, text: string): Promise<LongRun> => {
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
  return { totalMs: process.threadCpuUsage(begin).user / 1000, longestTurnMs: longest }
}

/** The least of both, of one run or, where a turn or all took long for what a tenth of the text took, of several. */
const leastLongRun = async (inspect: Inspect, text: string, ofTenthMs: number): Promise<LongRun> => {
  let least = await longRun(inspect, text)
  const isLong = () =>
    least.longestTurnMs >= NEARLY_MS || least.totalMs >= Math.max(NEARLY_ALL_MS, NEARLY_TIMES * ofTenthMs)
  for (let run = 1; run < MOST_LONG_RUNS && isLong(); run += 1) {
    const { totalMs, longestTurnMs } = await longRun(inspect, text)
    least = {
      totalMs: Math.min(least.totalMs, totalMs),
      longestTurnMs: Math.min(least.longestTurnMs, longestTurnMs),
    }
  }
  return least
}

const figures: Record<string, SpeedFigures> = {}
for (const [name, unit] of Object.entries({ ...SPEED_UNITS, ...DENSE_UNITS })) {
  const text = fill(unit, LENGTH)
  const long = fill(unit, 10 * LENGTH)
  const sensitiveDataMs = leastMs(inspectSpans, text)
  const injectionMs = leastMs(inspectInjection, text)
  const sensitiveRun = await leastLongRun(inspectSpans, long, sensitiveDataMs)
  const injectionRun = await leastLongRun(inspectInjection, long, injectionMs)
  figures[name] = {
    sensitiveDataMs,
    sensitiveDataOfTenTimesMs: sensitiveRun.totalMs,
    injectionMs,
    injectionOfTenTimesMs: injectionRun.totalMs,
    longestTurnMs: Math.max(sensitiveRun.longestTurnMs, injectionRun.longestTurnMs),
  }
}
process.stdout.write(JSON.stringify(figures))
