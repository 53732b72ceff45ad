import { DAY_MS } from '../clock.ts'
import type { Limit } from './types.ts'

const MONTH_CHARACTERS = 7
const DAY_CHARACTERS = 10

/** The one that was asked for last: nearly every call is of the same day. */
let known = { number: Number.NaN, day: '' }

/** The UTC day of a clock time: `2026-11-29`. */
export const dayOf = (now: number): string => {
  const number = Math.floor(now / DAY_MS)
  if (number !== known.number) known = { number, day: new Date(now).toISOString().slice(0, DAY_CHARACTERS) }
  return known.day
}

/** The month of a day: `2026-11`. */
export const monthOf = (day: string): string => day.slice(0, MONTH_CHARACTERS)

export const isDay = (period: string): boolean => period.length === DAY_CHARACTERS

/** When a period ends and the next one begins, as a clock time. */
export const endOf = (period: string): number => {
  const [year = 0, month = 1, day] = period.split('-').map(Number)
  return day === undefined ? Date.UTC(year, month, 1) : Date.UTC(year, month - 1, day + 1)
}

/** The clock time of a day that is nearest to another time. */
export const withinDay = (time: number, day: string): number =>
  Math.min(Math.max(time, Date.parse(day)), endOf(day) - 1)

/** The limit of a period; infinite where there is none. */
export const limitIn = ({ dayNanoUsd, monthNanoUsd }: Limit, period: string): number =>
  (isDay(period) ? dayNanoUsd : monthNanoUsd) ?? Number.POSITIVE_INFINITY
