import type { Kysely } from 'kysely'
import { ADMIN_ID } from '../../caller.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import { earlier, MOST_MAKERS, narrowed } from './restrict.ts'
import { keyOf } from './rows.ts'
import type { KeyEnd, KeyRecord } from './types.ts'

type Db = Kysely<RecordsSchema>
type Known = ReadonlyMap<string, KeyRecord>

/** Keys with all that made them, by their ids. Reads as often as keys were made one by another. */
const withMakers = async (db: Db, keys: readonly KeyRecord[]): Promise<Known> => {
  const known = new Map(keys.map(key => [key.id, key]))
  let newest = keys
  for (let depth = 0; depth < MOST_MAKERS && newest.length > 0; depth += 1) {
    const ids = new Set(newest.map(({ madeBy }) => madeBy).filter(id => id !== ADMIN_ID && !known.has(id)))
    if (ids.size === 0) break
    const rows = await db
      .selectFrom('api_keys')
      .selectAll()
      .where('id', 'in', [...ids])
      .execute()
    newest = rows.map(keyOf)
    for (const key of newest) known.set(key.id, key)
  }
  return known
}

/** The keys that made a key, one another; undefined where one is missing, or they are too many for it to be valid. */
const makersIn = (known: Known, key: KeyRecord): readonly KeyRecord[] | undefined => {
  const makers: KeyRecord[] = []
  for (let { madeBy } = key; madeBy !== ADMIN_ID; ) {
    const maker = makers.length < MOST_MAKERS ? known.get(madeBy) : undefined
    if (!maker) return undefined
    makers.push(maker)
    madeBy = maker.madeBy
  }
  return makers
}

/** The keys that made a key, one another; undefined where one is missing, or they are too many for it to be valid. */
export const makersOf = async (db: Db, key: KeyRecord): Promise<readonly KeyRecord[] | undefined> =>
  makersIn(await withMakers(db, [key]), key)

/** A key with the restrictions of all keys that made it, as which its use counts too. */
export const effective = async (db: Db, key: KeyRecord): Promise<KeyRecord | undefined> => {
  const makers = await makersOf(db, key)
  if (!makers || makers.length === 0) return makers && key
  const counted = makers.map(({ id, limits, budget }) => ({ id, limits, budget }))
  return { ...makers.reduce(narrowed, key), makers: counted }
}

/** Keys as they are stored, with the end of their makers. */
export const withMakersEnds = async (db: Db, keys: readonly KeyRecord[]): Promise<readonly KeyRecord[]> => {
  const known = await withMakers(db, keys)
  return keys.map(key => {
    const makers = makersIn(known, key)
    // Without its makers a key is refused.
    const makersEnd = makers ? makers.reduce<KeyEnd>(earlier, {}) : { revokedAt: key.createdAt }
    return key.madeBy === ADMIN_ID ? key : { ...key, makersEnd }
  })
}
