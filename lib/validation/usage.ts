import { z } from 'zod'
import { DAY_MS } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { DIMENSIONS, type Dimension } from '../ledger/types.ts'
import { pageCursor, pageLimit } from './page.ts'

import { parseOrThrow } from './zod.ts'

const DATE = /^\d{4}-\d\d-\d\d$/
const DEFAULT_DAYS = 30
const MOST_DAYS = 3_660

/** Whether a text is a date or a time that exists: of days that do not exist, `Date.parse` makes others. */
const isMoment = (text: string): boolean =>
  (z.iso.date().safeParse(text).success || z.iso.datetime({ offset: true }).safeParse(text).success) &&
  !Number.isNaN(Date.parse(text))

const moment = z
  .string()
  .max(40)
  .refine(isMoment, 'must be a date such as 2026-11-01, or a time such as 2026-11-01T00:00:00Z')

const isDimension = (name: string): name is Dimension => (DIMENSIONS as readonly string[]).includes(name)

const by = z
  .string()
  .max(200)
  .transform(text => [...new Set(text.split(',').map(name => name.trim()))].filter(name => name !== ''))
  .refine(names => names.every(isDimension), `must be of ${DIMENSIONS.join(', ')}, with commas between them`)
  .transform(names => names.filter(isDimension))

/** Queries are text: nothing in them is null. */
const inQuery = <S extends z.ZodType>(schema: S, description: string) =>
  schema.optional().meta({ description })

/** The query of usage. */
export const usageQuery = z.strictObject({
  from: inQuery(moment, 'A date or a time; 30 days before `to` when absent.'),
  to: inQuery(moment, 'A time, which is not included, or a date, which is; now when absent.'),
  by: inQuery(by, `What to group by: ${DIMENSIONS.join(', ')}, with commas between them.`),
  format: z.enum(['json', 'csv']).default('json'),
})

type Period = Readonly<{ from: number; to: number }>

/** The period of a query; undefined where it does not begin before its end, or is longer than ten years. */
const periodOf = ({ from, to }: z.output<typeof usageQuery>, now: number): Period | undefined => {
  const end = to === undefined ? now : Date.parse(to) + (DATE.test(to) ? DAY_MS : 0)
  const start = from === undefined ? end - DEFAULT_DAYS * DAY_MS : Date.parse(from)
  return start < end && end - start <= MOST_DAYS * DAY_MS ? { from: start, to: end } : undefined
}

/** The query of a list of requests. */
export const requestsQuery = z.strictObject({
  limit: pageLimit(),
  cursor: pageCursor(z.string().max(500)),
})

export type UsageRequest = Period & Readonly<{ by: readonly Dimension[]; format: 'json' | 'csv' }>

/** @throws GatewayError INVALID_INPUT */
export const parseUsageQuery = (query: Readonly<Record<string, string>>, now: number): UsageRequest => {
  const parsed = parseOrThrow(usageQuery, query)
  const period = periodOf(parsed, now)
  if (period) return { ...period, by: parsed.by ?? [], format: parsed.format }
  const message = 'must be before to, by at most ten years'
  throw new GatewayError('INVALID_INPUT', `from: ${message}`, { details: [{ path: 'from', message }] })
}
