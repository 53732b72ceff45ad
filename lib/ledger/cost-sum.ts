import { sql } from 'kysely'
import { ADMIN_ID } from '../caller.ts'
import { DAY_MS } from '../clock.ts'
import type { Records } from '../storage/records/records.ts'

/** Clock times in milliseconds: whole days in UTC. */
type Days = Readonly<{ from: number; to: number }>

export type CostQuery = Days & Readonly<{ owner?: string; keyId?: string }>

/** The ids of a key, of those that it made, and of those that these made. */
const withMade = (keyId: string) =>
  sql<string>`(with recursive made (id) as (
    select cast(${keyId} as text)
    union select api_keys.id from api_keys join made on api_keys.made_by = made.id
  ) select id from made)`

/** What is in the ledger for these days, in whole nanodollars; of a key with those that it made. */
export const costSum = async (records: Records, { from, to, owner, keyId }: CostQuery): Promise<number> => {
  const sum = await records.read(async db => {
    let query = db
      .selectFrom('ledger_rollups')
      .select(({ fn }) => fn.sum<number | null>('cost_nano' as never).as('sum'))
      .where('span', '=', DAY_MS)
      .where('start', '>=', from)
      .where('start', '<', to)
    if (owner !== undefined) query = query.where('owner', '=', owner)
    if (keyId !== undefined) query = query.where('key_id', 'in', withMade(keyId))
    return (await query.executeTakeFirst())?.sum
  })
  return Number(sum ?? 0)
}

type Found = Readonly<{ owner: string; key_id: string; nano: number | string }>

/** Whole nanodollars: of all, of owners that have a name, and of keys, each with those that it made. */
export type CostSums = Readonly<{
  all: number
  byOwner: ReadonlyMap<string, number>
  byKey: ReadonlyMap<string, number>
}>

const added = <Key>(sums: Map<Key, number>, key: Key, nanoUsd: number): void => {
  sums.set(key, (sums.get(key) ?? 0) + nanoUsd)
}

type MakerOf = ReadonlyMap<string, string>

/** The makers of keys that were made by keys. */
const makersOf = async (records: Records): Promise<MakerOf> => {
  const rows = await records.read(db =>
    db.selectFrom('api_keys').select(['id', 'made_by']).where('made_by', '<>', ADMIN_ID).execute(),
  )
  return new Map(rows.map(({ id, made_by }) => [id, made_by]))
}

/** A key, then those that made it, one another. */
const withMakers = (key: string, makers: MakerOf): ReadonlySet<string> => {
  const keys = new Set<string>()
  for (let id: string | undefined = key; id !== undefined && !keys.has(id); id = makers.get(id)) keys.add(id)
  return keys
}

/** What is in the ledger for these days, of everyone in one statement. */
const costSums = async (records: Records, { from, to }: Days): Promise<CostSums> => {
  const { rows } =
    from >= to
      ? { rows: [] }
      : await records.read(db =>
          sql<Found>`select case when owner like 'owner %' then owner else '' end as owner, key_id,
            sum(cost_nano) as nano from ledger_rollups
            where span = ${sql.lit(DAY_MS)} and start >= ${from} and start < ${to} group by 1, 2`.execute(db),
        )
  const sums = { all: 0, byOwner: new Map<string, number>(), byKey: new Map<string, number>() }
  const makers = rows.length === 0 ? new Map() : await makersOf(records)
  for (const { owner, key_id, nano } of rows) {
    sums.all += Number(nano)
    added(sums.byOwner, owner, Number(nano))
    for (const key of withMakers(key_id, makers)) added(sums.byKey, key, Number(nano))
  }
  return sums
}

/** The costs of a day, and of its month to the end of that day: each to be added up. */
export type CostsOfDay = Readonly<Record<'day' | 'month', readonly CostSums[]>>

const monthOf = (time: number): number => {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
}

/**
 * Reads the costs of a UTC day, by its start, and of its month. Attempts count on the day on which they began and end
 * within another: days before yesterday are over, and are read once a day.
 */
export const costsByDay = (records: Records): ((day: number) => Promise<CostsOfDay>) => {
  let over: (Days & Readonly<{ sums: CostSums }>) | undefined
  return async day => {
    const from = monthOf(day)
    const to = Math.max(from, day - DAY_MS)
    if (over?.from !== from || over.to !== to)
      over = { from, to, sums: await costSums(records, { from, to }) }
    const { sums } = over
    const yesterdays = await costSums(records, { from: to, to: day })
    const todays = await costSums(records, { from: day, to: day + DAY_MS })
    return { day: [todays], month: [sums, yesterdays, todays] }
  }
}
