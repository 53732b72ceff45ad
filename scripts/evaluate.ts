import { readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs, styleText } from 'node:util'

const HELP = `Usage: npm run evaluate -- FILE [--csv | --json]

FILE is JSON: { "dataset": "rows.jsonl", "variants": […], "graders": […], "threshold"?: 0.8, "name"?, "model"? }, the body of
POST /api/evaluations with the path of the data set, relative to FILE. PARLEY_URL (http://localhost:3000) and PARLEY_KEY
name the gateway and its key.

Prints a table, or with --csv or --json the report. Exit codes: 0 where every variant reaches the threshold, or answers
all rows where none is given; 1 where one does not; 2 for errors.
`

const POLL_MS = 1_000
const LONGEST_WAIT_MS = 60_000
const MOST_RETRIES = 10
const { PARLEY_URL = 'http://localhost:3000', PARLEY_KEY } = process.env

type Interval = Readonly<{ value: number; low: number; high: number }> | null
type VariantReport = Readonly<{
  name: string
  failures: number
  score: Interval
  passRate: Interval
  costUsd: number | null
  latencyMs: Readonly<{ p50: number | null; p95: number | null }>
  wins: number
  ties: number
  losses: number
}>
type Report = Readonly<{ passed: boolean | null; variants: readonly VariantReport[] }>
type Run = Readonly<{ id: string; state: string; progress: number }>

/** An error that is no fault of this program: its message is enough. */
class Failure extends Error {}

/** @throws Failure where PARLEY_URL is no address */
const addressOf = (path: string): URL => {
  const address = URL.parse(path, PARLEY_URL)
  if (address && /^https?:$/.test(address.protocol)) return address
  throw new Failure(`PARLEY_URL must be an http:// or https:// address, not “${PARLEY_URL}”.`)
}

const isRetried = (status: number): boolean => status === 429 || status === 503

/** A request to the gateway; a busy or restarting one is waited for. */
const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const address = addressOf(path)
  const headers = { ...(PARLEY_KEY && { authorization: `Bearer ${PARLEY_KEY}` }), ...init.headers }
  for (let retries = 0; ; retries += 1) {
    const response = await fetch(address, { ...init, headers }).catch(() => undefined)
    if (response?.ok) return response
    if (retries < MOST_RETRIES && (!response || isRetried(response.status))) {
      const seconds = Number(response?.headers.get('retry-after') ?? 1)
      await sleep(Math.min(seconds * 1_000, LONGEST_WAIT_MS))
      continue
    }
    if (!response) throw new Failure(`${PARLEY_URL} cannot be reached.`)
    const body = (await response.json().catch(() => undefined)) as
      | { error?: { message?: string } }
      | undefined
    throw new Failure(body?.error?.message ?? `The gateway answered ${response.status} to ${path}.`)
  }
}

const json = async <Value>(path: string, init?: RequestInit): Promise<Value> =>
  (await ask(path, init)).json() as Promise<Value>

const readText = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch(error => {
    throw new Failure(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  })

const planIn = async (file: string): Promise<Record<string, unknown> & { dataset: string }> => {
  const text = await readText(file)
  let plan: unknown
  try {
    plan = JSON.parse(text)
  } catch (error) {
    throw new Failure(`${file} is not JSON: ${(error as Error).message}`)
  }
  const { dataset } = (plan ?? {}) as { dataset?: unknown }
  if (typeof dataset !== 'string')
    throw new Failure(`${file}: dataset must be the path of a JSON lines file.`)
  return plan as Record<string, unknown> & { dataset: string }
}

const start = async (file: string): Promise<Run> => {
  const plan = await planIn(file)
  const path = resolve(dirname(file), plan.dataset)
  const name = encodeURIComponent(basename(path))
  const dataset = await json<{ id: string }>(`/api/evaluations/datasets?name=${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/jsonl' },
    body: await readText(path),
  })
  try {
    return await json<Run>('/api/evaluations', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...plan, dataset: dataset.id }),
    })
  } finally {
    // A run has rows of its own.
    await ask(`/api/evaluations/datasets/${dataset.id}`, { method: 'DELETE' })
  }
}

const isOpen = ({ state }: Run): boolean => state === 'queued' || state === 'running'

const ended = async (started: Run): Promise<Run> => {
  let run = started
  let shown = -1
  while (isOpen(run)) {
    const percent = Math.floor(run.progress * 100)
    if (percent !== shown) process.stderr.write(`${run.id}: ${percent} %\n`)
    shown = percent
    await sleep(POLL_MS)
    run = await json<Run>(`/api/evaluations/${run.id}`)
  }
  return run
}

const points = (interval: Interval): string =>
  interval ? `${interval.value.toFixed(3)} (${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})` : '-'

const rowOf = (variant: VariantReport): readonly string[] => [
  variant.name,
  points(variant.score),
  points(variant.passRate),
  String(variant.failures),
  variant.costUsd === null ? 'unknown' : `$${variant.costUsd}`,
  `${variant.latencyMs.p50 ?? '-'} / ${variant.latencyMs.p95 ?? '-'}`,
  `${variant.wins} / ${variant.ties} / ${variant.losses}`,
]

const HEAD = [
  'variant',
  'score (95 %)',
  'pass rate (95 %)',
  'failures',
  'cost',
  'ms p50 / p95',
  'won / tied / lost',
]

const tableOf = ({ variants }: Report): string => {
  const rows = [HEAD, ...variants.map(rowOf)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const hasPassed = ({ passed, variants }: Report): boolean =>
  passed ?? variants.every(({ failures }) => failures === 0)

const evaluate = async (file: string, format: 'csv' | 'json' | undefined): Promise<number> => {
  const run = await ended(await start(file))
  if (run.state === 'cancelled') throw new Failure('The evaluation was cancelled.')
  const path = `/api/evaluations/${run.id}/report`
  const report = await json<Report>(path)
  if (format === 'csv') process.stdout.write(await (await ask(`${path}?format=csv`)).text())
  else
    process.stdout.write(format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : `${tableOf(report)}\n`)
  const passed = hasPassed(report)
  process.stderr.write(`${styleText(passed ? 'green' : 'red', passed ? 'Passed.' : 'Not passed.')}\n`)
  return passed ? 0 : 1
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean', short: 'h' }, csv: { type: 'boolean' }, json: { type: 'boolean' } },
    allowPositionals: true,
  })
  const [file] = positionals
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (file === undefined || positionals.length > 1) throw new Failure(`Name one file.\n\n${HELP}`)
  return evaluate(file, values.csv ? 'csv' : values.json ? 'json' : undefined)
}

process.exitCode = await main().catch(error => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  return 2
})
