import { DAY_MS } from '../clock.ts'
import { ADDED, type AttemptRow, type RequestRow, ROLLUP_KEY, type Sum } from './columns.ts'
import { bucketOf } from './histogram.ts'

export const HOUR_MS = 3_600_000
const SPANS = [HOUR_MS, DAY_MS] as const

type RollupRow = { [Name in string]: string | number | null }

const NOTHING: Readonly<Record<string, number>> = Object.fromEntries(ADDED.map(name => [name, 0]))

type About = Pick<AttemptRow, 'at' | 'owner' | 'key_id' | 'key_name' | 'provider' | 'model'>

/** Sums of rows, one for each hour and day, owner, key, provider and model. */
class Rollup {
  readonly #rows = new Map<string, RollupRow>()

  of({ at, owner, key_id, key_name, provider, model }: About): readonly RollupRow[] {
    return SPANS.map(span => {
      const start = (at ?? 0) - ((at ?? 0) % span)
      const key = [span, start, owner, key_id, provider, model].join('\n')
      const known = this.#rows.get(key)
      if (known) return Object.assign(known, key_name !== null && { key_name })
      const row: RollupRow = {
        ...NOTHING,
        span,
        start,
        owner: owner ?? '',
        key_id: key_id ?? '',
        provider: provider ?? '',
        model: model ?? '',
        key_name,
        latency_min: null,
        latency_max: null,
        first_min: null,
        first_max: null,
      }
      this.#rows.set(key, row)
      return row
    })
  }

  /** In the order of their keys, so that processes that write the same rows wait for each other in one order. */
  get rows(): readonly RollupRow[] {
    const keyOf = (row: RollupRow): string => ROLLUP_KEY.map(name => row[name]).join('\n')
    return [...this.#rows.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  }
}

const add = (row: RollupRow, name: Sum | string, value: number | null): void => {
  row[name] = Number(row[name] ?? 0) + (value ?? 0)
}

const addDuration = (row: RollupRow, prefix: 'latency' | 'first', milliseconds: number | null): void => {
  if (milliseconds === null) return
  add(row, `${prefix}_${bucketOf(milliseconds)}`, 1)
  const [min, max] = [row[`${prefix}_min`] ?? null, row[`${prefix}_max`] ?? null]
  if (min === null || milliseconds < Number(min)) row[`${prefix}_min`] = milliseconds
  if (max === null || milliseconds > Number(max)) row[`${prefix}_max`] = milliseconds
}

const TOKENS = ['input', 'cached', 'written', 'output', 'reasoning'] as const

const addAttempt = (row: RollupRow, attempt: AttemptRow): void => {
  add(row, 'attempts', 1)
  for (const name of TOKENS) add(row, name, attempt[name])
  if (attempt.cost_nano === null) add(row, 'unpriced', 1)
  else add(row, 'cost_nano', attempt.cost_nano)
}

const addRequest = (row: RollupRow, request: RequestRow): void => {
  if (request.kind === 'refresh') return
  add(row, 'requests', 1)
  add(row, 'saved_nano', request.saved_nano)
  if (request.outcome === 'error') add(row, 'errors', 1)
  if (request.cache === 'hit' || request.cache === 'stale') add(row, 'hits', 1)
  if (request.outcome === 'ok') addDuration(row, 'latency', request.latency_ms)
  addDuration(row, 'first', request.first_content_ms)
}

/** The sums of new rows: tokens and cost are those of the attempts, all else of the requests. */
export const rollupOf = (
  attempts: readonly AttemptRow[],
  requests: readonly RequestRow[],
): readonly object[] => {
  const rollup = new Rollup()
  for (const attempt of attempts) for (const row of rollup.of(attempt)) addAttempt(row, attempt)
  for (const request of requests) for (const row of rollup.of(request)) addRequest(row, request)
  return rollup.rows
}
