import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { violations } from './checker.ts'
import type { History } from './history.ts'
import { scenarios } from './scenario.ts'
import { simulate } from './world.ts'

const SEED = Number(process.env.SIMULATION_SEED ?? 1)
const RUNS = Number(process.env.SIMULATION_RUNS ?? 3_000)
const PATH = process.env.SIMULATION_PATH

const line = ({ at, type, ...facts }: History[number]): string => `${at} ${type} ${JSON.stringify(facts)}`

describe('the whole pipeline, in a world of simulated faults', () => {
  it(`keeps every promise in ${RUNS} scenarios`, async () => {
    const keepsPromises = fc.asyncProperty(scenarios, async scenario => {
      const history = await simulate(scenario)
      const broken = violations(history)
      if (broken.length > 0) throw new Error([...broken, '', ...history.map(line)].join('\n'))
    })
    const details = await fc.check(keepsPromises, { seed: SEED, numRuns: RUNS, ...(PATH && { path: PATH }) })
    const replay = `Replay with SIMULATION_SEED=${details.seed} SIMULATION_PATH=${details.counterexamplePath}`
    if (details.failed)
      throw new Error(
        `${replay}\n${String(details.errorInstance)}\n${JSON.stringify(details.counterexample)}`,
      )
  })

  it('goes the same way again', async () => {
    const [scenario] = fc.sample(scenarios, { seed: SEED, numRuns: 1 })
    if (!scenario) throw new Error('there is no scenario')
    expect(await simulate(scenario)).toEqual(await simulate(scenario))
  })
})
