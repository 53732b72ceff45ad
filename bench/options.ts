import { parseArgs } from 'node:util'
import { candidates } from './targets/index.ts'
import { workloads } from './workloads.ts'

export type Options = {
  rounds: number
  connections: number
  /** The share of each workload's warm-up that is done. */
  warmup: number
  measureMs: number
  targets: readonly string[]
  workloads: readonly string[]
  /** The results file; without it, a dated file in bench/results. */
  jsonFile?: string
  /** The target that is run under Node's CPU profiler. */
  profiledTarget?: string
}

export const usage = `npm run bench -- [options]
  --quick              one short round: an impression, not a measurement
  --rounds N           rounds to take the median of (default 3)
  --seconds N          seconds of measured load per round, target and workload (default 2)
  --connections N      concurrent requests (default 16)
  --only NAME,…        targets: ${candidates.map(({ name }) => name).join(', ')}
  --workload NAME,…    workloads: ${workloads.map(({ name }) => name).join(', ')}
  --json FILE          write the results here instead of bench/results/<date>.json
  --cpu-profile NAME   run that target under --cpu-prof, profiles in bench/results
  --help`

/** The options of the command line, or `undefined` when only help is asked for. Throws on unknown options. */
export function readOptions(commandLine: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...commandLine],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      only: { type: 'string' },
      workload: { type: 'string' },
      json: { type: 'string' },
      'cpu-profile': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const targetNames = candidates.map(({ name }) => name)
  const profiled = values['cpu-profile']
  return {
    rounds: positive('--rounds', values.rounds, values.quick ? 1 : 3),
    connections: positive('--connections', values.connections, 16),
    warmup: values.quick ? 0.2 : 1,
    measureMs: positive('--seconds', values.seconds, values.quick ? 1 : 2) * 1000,
    targets: chosen('--only', values.only, targetNames),
    workloads: chosen(
      '--workload',
      values.workload,
      workloads.map(({ name }) => name),
    ),
    ...(values.json === undefined ? {} : { jsonFile: values.json }),
    ...(profiled === undefined
      ? {}
      : { profiledTarget: chosen('--cpu-profile', profiled, targetNames)[0] ?? '' }),
  }
}

function positive(flag: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new Error(`${flag} must be a number above 0, not "${text}"`)
}

function chosen(flag: string, text: string | undefined, known: readonly string[]): readonly string[] {
  if (text === undefined) return known
  const names = text.split(',').map(name => name.trim())
  const stranger = names.find(name => !known.includes(name))
  if (stranger === undefined) return names
  throw new Error(`${flag}: there is no "${stranger}"; there are ${known.join(', ')}`)
}
