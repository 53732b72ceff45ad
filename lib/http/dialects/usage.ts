import { BYTE_ORDER_MARK, type Cell, csvRow } from '../../batch/results.ts'
import { isoTime } from '../../clock.ts'
import type { Dimension, Percentiles, UsageReport, UsageRow } from '../../ledger/types.ts'
import { usdOfNano } from '../../money.ts'
import type { RouteResponse } from '../route-response.ts'

/** Null where a cost is unknown, and nothing is known that does cost: never 0. */
const costUsd = ({ costNano, unpriced }: UsageRow): number | null =>
  unpriced > 0 && costNano === 0n ? null : usdOfNano(costNano)

/** An owner as its routes name it: its own name, or the kind and the id of a caller without one. */
export const ownerName = (owner: string): string | null => {
  if (owner === '') return null
  const [kind, ...id] = owner.split(' ')
  return kind === 'owner' ? id.join(' ') : `${kind}:${id.join(' ')}`
}

const text = (value: string | undefined): string | null =>
  value === undefined || value === '' ? null : value

const dimensionJson = (row: UsageRow, dimension: Dimension): Readonly<Record<string, string | null>> => {
  const value = row.of[dimension]
  if (dimension === 'key') return { keyId: text(value), name: text(row.of.keyName) }
  if (dimension === 'owner') return { owner: ownerName(value ?? '') }
  return { [dimension]: text(value) }
}

const percentilesJson = ({
  p50 = null,
  p95 = null,
  p99 = null,
}: { [K in keyof Percentiles]: number | null }) => ({
  p50,
  p95,
  p99,
})

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

/** What budgets hold back at present of whom a row is, in whole nanodollars. */
export type Reserved = (of: UsageRow['of']) => number

const rowJson = (row: UsageRow, by: readonly Dimension[], reserved: Reserved) => ({
  ...Object.assign({}, ...by.map(dimension => dimensionJson(row, dimension))),
  requests: row.requests,
  attempts: row.attempts,
  tokens: row.tokens,
  costUsd: costUsd(row),
  costNanoUsd: String(row.costNano),
  unpricedAttempts: row.unpriced,
  reservedUsd: usdOfNano(reserved(row.of)),
  cacheHits: row.cacheHits,
  cacheHitRate: share(row.cacheHits, row.requests),
  savedUsd: usdOfNano(row.savedNano),
  errors: row.errors,
  errorRate: share(row.errors, row.requests),
  latencyMs: percentilesJson(row.latencyMs),
  firstTokenMs: percentilesJson(row.firstTokenMs),
})

/** Usage as JSON. */
export const usageJson = (report: UsageReport, by: readonly Dimension[], reserved: Reserved) => ({
  from: isoTime(report.from),
  to: isoTime(report.to),
  rows: report.rows.map(row => rowJson(row, by, reserved)),
  total: rowJson(report.total, [], reserved),
})

/** Values in one line: those of objects under `object.name`. */
const flat = (row: object, prefix = ''): readonly (readonly [name: string, cell: Cell])[] =>
  Object.entries(row).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null
      ? flat(value, `${name}.`)
      : [[`${prefix}${name}`, value] as const],
  )

const usageCsv = (report: UsageReport, by: readonly Dimension[], reserved: Reserved): string => {
  const rows = report.rows.map(row => flat(rowJson(row, by, reserved)))
  const columns = rows[0] ?? flat(rowJson(report.total, by, reserved))
  return [
    BYTE_ORDER_MARK,
    csvRow(columns.map(([name]) => name)),
    ...rows.map(row => csvRow(row.map(([, cell]) => cell))),
  ].join('')
}

export type UsageResponseOptions = Readonly<{
  by: readonly Dimension[]
  format: 'json' | 'csv'
  reserved: Reserved
}>

/** Usage as JSON, or as a table for spreadsheets, without the total. */
export const usageResponse = (
  report: UsageReport,
  { by, format, reserved }: UsageResponseOptions,
): RouteResponse =>
  format === 'json'
    ? { json: usageJson(report, by, reserved) }
    : {
        text: { type: 'text/csv; charset=utf-8; header=present', body: usageCsv(report, by, reserved) },
        headers: { 'content-disposition': 'attachment; filename="usage.csv"' },
      }
