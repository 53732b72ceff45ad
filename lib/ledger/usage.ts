import { type RawBuilder, sql } from 'kysely'
import { DAY_MS } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Records, RecordsDialect } from '../storage/records/records.ts'
import { ADDED, FIRST_BUCKETS, LATENCY_BUCKETS, type Sum } from './columns.ts'
import { type Histogram, percentile } from './histogram.ts'
import { HOUR_MS } from './rollup.ts'
import type { Dimension, Percentiles, UsageQuery, UsageReport, UsageRow } from './types.ts'

const MOST_ROWS = 10_000
const MONEY: ReadonlySet<string> = new Set(['cost_nano', 'saved_nano'])
const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const

type Found = Readonly<Record<string, string | number | null>>

/** Sums in progress: those of money are exact beyond 2^53. */
class Group {
  readonly of: UsageRow['of']
  readonly #sums = new Map<string, number>()
  readonly #extremes = new Map<string, number>()
  #cost = 0n
  #saved = 0n

  constructor(of: UsageRow['of']) {
    this.of = of
  }

  add(found: Found): void {
    for (const name of ADDED)
      if (!MONEY.has(name)) this.#sums.set(name, this.#sum(name) + Number(found[name] ?? 0))
    this.#cost += BigInt(found.cost_nano ?? 0)
    this.#saved += BigInt(found.saved_nano ?? 0)
    for (const [name, nearer] of [
      ['latency_min', Math.min],
      ['first_min', Math.min],
      ['latency_max', Math.max],
      ['first_max', Math.max],
    ] as const) {
      const value = found[name]
      if (value === null || value === undefined) continue
      this.#extremes.set(name, nearer(this.#extremes.get(name) ?? Number(value), Number(value)))
    }
  }

  get row(): UsageRow {
    const sum = (name: Sum) => this.#sum(name)
    return {
      of: this.of,
      requests: sum('requests'),
      attempts: sum('attempts'),
      unpriced: sum('unpriced'),
      errors: sum('errors'),
      cacheHits: sum('hits'),
      tokens: {
        input: sum('input'),
        cachedInput: sum('cached'),
        cacheWrite: sum('written'),
        output: sum('output'),
        reasoning: sum('reasoning'),
      },
      costNano: this.#cost,
      savedNano: this.#saved,
      latencyMs: this.#percentiles('latency', LATENCY_BUCKETS),
      firstTokenMs: this.#percentiles('first', FIRST_BUCKETS),
    }
  }

  #sum(name: string): number {
    return this.#sums.get(name) ?? 0
  }

  #percentiles(prefix: 'latency' | 'first', buckets: readonly string[]): Percentiles {
    const histogram: Histogram = {
      counts: buckets.map(name => this.#sum(name)),
      min: this.#extremes.get(`${prefix}_min`) ?? 0,
      max: this.#extremes.get(`${prefix}_max`) ?? 0,
    }
    return Object.fromEntries(
      Object.entries(SHARES).flatMap(([name, share]) => {
        const value = percentile(histogram, share)
        return value === undefined ? [] : [[name, value]]
      }),
    )
  }
}

const THURSDAY = 4
const DAYS_OF_A_WEEK = 7

/** The week of a day by ISO 8601: `2026-W48`. */
const weekOf = (day: number): string => {
  const date = new Date(day)
  // A week belongs to the year of its Thursday.
  date.setUTCDate(date.getUTCDate() + THURSDAY - (date.getUTCDay() || DAYS_OF_A_WEEK))
  const first = Date.UTC(date.getUTCFullYear(), 0, 1)
  const week = Math.ceil(((date.getTime() - first) / DAY_MS + 1) / DAYS_OF_A_WEEK)
  return `${date.getUTCFullYear()}-W${String(week).padStart(2, '0')}`
}

type DateDimension = 'day' | 'week' | 'month'

const dateOf = (start: number, dimension: DateDimension): string => {
  if (dimension === 'week') return weekOf(start)
  return new Date(start).toISOString().slice(0, dimension === 'day' ? 10 : 7)
}

const isDate = (dimension: Dimension): dimension is DateDimension =>
  dimension === 'day' || dimension === 'week' || dimension === 'month'

/** The current name of a key; of one that is not stored any more, the name that it had last. */
const keyNameOf = ({ key_name: current, last_name: last }: Found): Pick<UsageRow['of'], 'keyName'> => {
  if (typeof current === 'string') return { keyName: current }
  return typeof last === 'string' ? { keyName: last.slice(last.indexOf(' ') + 1) } : {}
}

const valuesOf = (found: Found, by: readonly Dimension[]): UsageRow['of'] => ({
  ...Object.fromEntries(
    by.map(dimension => {
      if (isDate(dimension)) return [dimension, dateOf(Number(found[dimension]), dimension)]
      return [dimension, String(found[dimension === 'key' ? 'key_id' : dimension] ?? '')]
    }),
  ),
  ...(by.includes('key') && keyNameOf(found)),
})

/** Whole days from the sums of days, the hours before and after them from those of hours. */
const rangeOf = ({ from, to }: UsageQuery): RawBuilder<boolean> => {
  const firstDay = Math.ceil(from / DAY_MS) * DAY_MS
  const lastDay = Math.floor(to / DAY_MS) * DAY_MS
  const hours = (start: number, end: number) =>
    sql`(span = ${sql.lit(HOUR_MS)} and start >= ${start} and start < ${end})`
  if (firstDay >= lastDay) return sql<boolean>`${hours(from, to)}`
  return sql<boolean>`((span = ${sql.lit(DAY_MS)} and start >= ${firstDay} and start < ${lastDay})
    or ${hours(from, firstDay)} or ${hours(lastDay, to)})`
}

const COLUMN = { model: 'model', provider: 'provider', key: 'key_id', owner: 'owner' } as const
const WEEK_MS = DAYS_OF_A_WEEK * DAY_MS
/** From a Monday to the first day of clock time, which was a Thursday. */
const SINCE_MONDAY_MS = (THURSDAY - 1) * DAY_MS

/** The start of the period in which a sum is, as clock time: grouped so, a report has no more rows than it gives. */
const STARTS: Readonly<Record<DateDimension, (dialect: RecordsDialect) => RawBuilder<unknown>>> = {
  day: () => sql`start - start % ${sql.lit(DAY_MS)}`,
  week: () => sql`start - (start + ${sql.lit(SINCE_MONDAY_MS)}) % ${sql.lit(WEEK_MS)}`,
  month: dialect =>
    dialect === 'sqlite'
      ? sql`unixepoch(start / 1000, 'unixepoch', 'start of month') * 1000`
      : sql`extract(epoch from date_trunc('month', to_timestamp(start / 1000), 'UTC'))::bigint * 1000`,
}

/** The name that a key has now, and the newest one of its rows after the time of its row. */
const KEY_NAMES = [
  sql`(select name from api_keys where api_keys.id = ledger_rollups.key_id) as key_name`,
  sql`max(start || ' ' || key_name) as last_name`,
]

const statementOf = (query: UsageQuery, dialect: RecordsDialect) => {
  const { by, owner } = query
  const groups = by.map(dimension => {
    if (!isDate(dimension)) return { select: sql.ref(COLUMN[dimension]), group: sql.ref(COLUMN[dimension]) }
    const start = STARTS[dimension](dialect)
    return { select: sql`${start} as ${sql.ref(dimension)}`, group: start }
  })
  const sums = ADDED.map(name =>
    MONEY.has(name)
      ? sql`cast(sum(${sql.ref(name)}) as text) as ${sql.ref(name)}`
      : sql`sum(${sql.ref(name)}) as ${sql.ref(name)}`,
  )
  const extremes = ['min', 'max'].flatMap(kind =>
    ['latency', 'first'].map(prefix => {
      const name = sql.ref(`${prefix}_${kind}`)
      return sql`${sql.raw(kind)}(${name}) as ${name}`
    }),
  )
  const names = by.includes('key') ? KEY_NAMES : []
  const selected = [...groups.map(({ select }) => select), ...sums, ...extremes, ...names]
  return sql<Found>`select ${sql.join(selected)} from ledger_rollups where ${rangeOf(query)}
    ${owner === undefined ? sql`` : sql`and owner = ${owner}`}
    ${groups.length === 0 ? sql`` : sql`group by ${sql.join(groups.map(({ group }) => group))}`}
    limit ${sql.lit(MOST_ROWS + 1)}`
}

const tooMany = (): GatewayError =>
  new GatewayError('INVALID_INPUT', `by: gives more than ${MOST_ROWS} rows; ask for fewer at once`, {
    details: [{ path: 'by', message: `gives more than ${MOST_ROWS} rows; ask for fewer at once` }],
  })

/**
 * Usage in whole hours, and in whole UTC days where there are no sums by hour, grouped.
 * @param hoursSince since when there are sums by hour
 * @throws GatewayError INVALID_INPUT for more than 10,000 rows
 */
export const usageOf = async (
  records: Records,
  query: UsageQuery,
  hoursSince: number,
): Promise<UsageReport> => {
  const spanAt = (time: number): number => (time < hoursSince ? DAY_MS : HOUR_MS)
  const [down, up] = [spanAt(query.from), spanAt(query.to)]
  const hourly = {
    ...query,
    from: Math.floor(query.from / down) * down,
    to: Math.ceil(query.to / up) * up,
  }
  const { rows: found } = await records.read(db => statementOf(hourly, records.dialect).execute(db))
  if (found.length > MOST_ROWS) throw tooMany()
  const total = new Group({})
  const groups = new Map<string, Group>()
  for (const one of found) {
    total.add(one)
    if (query.by.length === 0) continue
    const of = valuesOf(one, query.by)
    const key = JSON.stringify(query.by.map(dimension => of[dimension]))
    const group = groups.get(key) ?? new Group(of)
    group.add(one)
    groups.set(key, group)
  }
  const rows = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group.row)
  return { from: hourly.from, to: hourly.to, rows: rows.length > 0 ? rows : [], total: total.row }
}
