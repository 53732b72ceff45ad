import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { DENSE_UNITS, SPEED_UNITS, type SpeedFigures } from '../support/guardrail-texts.ts'

const SCRIPT = join(import.meta.dirname, '../support/guardrail-speed.ts')
const UNITS = Object.keys(SPEED_UNITS)
const ALL_UNITS = [...UNITS, ...Object.keys(DENSE_UNITS)]
/** Most growth that counts as linear, as {@link SpeedFigures} has it: 1 is linear, 10 quadratic. */
const LINEAR = 2

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
  it.each(UNITS)('look for sensitive data in 100 kB of %s within 20 ms', unit => {
    expect(figuresOf(unit).sensitiveDataMs).toBeLessThan(20)
  })

  it.each(ALL_UNITS)('look for sensitive data in %s in linear time', unit => {
    expect(figuresOf(unit).sensitiveDataGrowth).toBeLessThan(LINEAR)
  })

  it.each(ALL_UNITS)('look for injections in %s in linear time', unit => {
    expect(figuresOf(unit).injectionGrowth).toBeLessThan(LINEAR)
  })

  it.each(ALL_UNITS)('never block the event loop for 20 ms with 1 MB of %s', unit => {
    expect(figuresOf(unit).longestTurnMs).toBeLessThan(20)
  })
})
