import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { DENSE_UNITS, SPEED_UNITS, type SpeedFigures } from '../support/guardrail-texts.ts'

const SCRIPT = join(import.meta.dirname, '../support/guardrail-speed.ts')
const UNITS = Object.keys(SPEED_UNITS)
const ALL_UNITS = [...UNITS, ...Object.keys(DENSE_UNITS)]
/** The goal is 20 ms, with `SOAK=1` on a quiet machine; in the usual run also for one a third as fast. */
const MOST_MS = process.env.SOAK ? 20 : 60
/** Below it the clock says little of a ratio, also on a machine that is half as fast. */
const SURE_MS = 500

let measured: Readonly<Record<string, SpeedFigures>> = {}

const figuresOf = (unit: string): SpeedFigures => {
  const figures = measured[unit]
  if (!figures) throw new Error(`Nothing was measured for ${unit}.`)
  return figures
}

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT])
  measured = JSON.parse(stdout)
}, 120_000)

describe('the rails, measured in CPU time,', () => {
  it.each(UNITS)(`look for sensitive data in 100 kB of %s within ${MOST_MS} ms`, unit => {
    expect(figuresOf(unit).sensitiveDataMs).toBeLessThan(MOST_MS)
  })

  // Ten times the time for ten times the text where it is linear, 100 times where it is quadratic.
  it.each(ALL_UNITS)('look for sensitive data in %s in linear time', unit => {
    const { sensitiveDataMs, sensitiveDataOfTenTimesMs } = figuresOf(unit)
    expect(sensitiveDataOfTenTimesMs).toBeLessThan(Math.max(SURE_MS, sensitiveDataMs * 20))
  })

  it.each(ALL_UNITS)('look for injections in %s in linear time', unit => {
    const { injectionMs, injectionOfTenTimesMs } = figuresOf(unit)
    expect(injectionOfTenTimesMs).toBeLessThan(Math.max(SURE_MS, injectionMs * 20))
  })

  it.each(ALL_UNITS)(`never block the event loop for ${MOST_MS} ms with 1 MB of %s`, unit => {
    expect(figuresOf(unit).longestTurnMs).toBeLessThan(MOST_MS)
  })
})
