import type { UsageRow } from '../wire.ts'
import { type Days, dayAsWords, eachDay } from './period.ts'

export const GROUPS = { model: 'Model', key: 'Key', owner: 'Owner', day: 'Day' } as const
export type Group = keyof typeof GROUPS

/** The path of usage by a group. */
export function usagePath(group: Group, { from, to }: Days, format?: 'csv'): string {
  const query = new URLSearchParams({ by: group, from, to, ...(format && { format }) })
  return `/api/admin/usage?${query}`
}

/** Identifies a row among those of its group. */
export const rowId = (row: UsageRow, group: Group): string => row[group === 'key' ? 'keyId' : group] ?? ''

/** What a row is about. Callers without a key have no name for it. */
export function rowName(row: UsageRow, group: Group): string {
  switch (group) {
    case 'model':
      return row.model ?? 'No model'
    case 'key':
      return row.name ?? row.keyId ?? 'Without a key'
    case 'owner':
      return row.owner ?? 'No owner'
    case 'day':
      return row.day ? dayAsWords(row.day) : 'No day'
  }
}

const descending = (a: bigint, b: bigint): number => (a === b ? 0 : a < b ? 1 : -1)

/** Days newest first, everything else by cost, and by requests where the cost is the same. */
export function sorted(rows: readonly UsageRow[], group: Group): UsageRow[] {
  if (group === 'day') return rows.toSorted((a, b) => (b.day ?? '').localeCompare(a.day ?? ''))
  return rows.toSorted(
    (a, b) => descending(BigInt(a.costNanoUsd), BigInt(b.costNanoUsd)) || b.requests - a.requests,
  )
}

export type DayCost = {
  day: string
  /** Whole nanodollars, of what has a known price. */
  nanoUsd: bigint
  /** Whether requests of an unknown price are not in it. */
  isPartial: boolean
}

/** The cost of each day of a period, also of those without requests. */
export function costByDay(rows: readonly UsageRow[], days: Days): DayCost[] {
  const known = new Map(rows.map(row => [row.day, row]))
  return eachDay(days).map(day => {
    const row = known.get(day)
    return {
      day,
      nanoUsd: BigInt(row?.costNanoUsd ?? 0),
      isPartial: (row?.unpricedAttempts ?? 0) > 0,
    }
  })
}

/** The highest cost of a day in whole nanodollars; 0 without days. */
export const highestOf = (costs: readonly DayCost[]): bigint =>
  costs.map(({ nanoUsd }) => nanoUsd).toSorted(descending)[0] ?? 0n

/** A cost as a share of the highest, from 0 to 1. */
export const shareOf = (nanoUsd: bigint, highest: bigint): number =>
  highest === 0n ? 0 : Number(nanoUsd) / Number(highest)
