import { type Kysely, type Selectable, sql } from 'kysely'
import type { Records } from '../storage/records/records.ts'
import type { RecordsSchema } from '../storage/records/schema.ts'
import type { StoredResponsesTable } from '../storage/records/tables/openai-state.ts'
import type { NewResponse, ResponseRecords, StoredResponse } from './types.ts'

/** The longest chain of answers that is followed. */
const LONGEST_CHAIN = 10_000

const COLUMNS = ['owner', 'id', 'previous_id', 'provider', 'created_at', 'input', 'response'] as const

type Row = Pick<Selectable<StoredResponsesTable>, (typeof COLUMNS)[number]>

const responseOf = (row: Row): StoredResponse => ({
  id: row.id,
  owner: row.owner,
  ...(row.previous_id !== null && { previousId: row.previous_id }),
  ...(row.provider !== null && { provider: row.provider }),
  createdAt: row.created_at,
  input: row.input,
  response: row.response,
})

const whole = Math.floor

const rowOf = (response: NewResponse) => ({
  owner: response.owner,
  id: response.id,
  previous_id: response.previousId ?? null,
  provider: response.provider ?? null,
  created_at: whole(response.createdAt),
  expires_at: whole(response.expiresAt),
  size: response.input.length + response.response.length,
  input: response.input,
  response: response.response,
})

/** The answers of an owner beyond its room, the newest ones kept. */
const beyond = (db: Kysely<RecordsSchema>, { owner, mostCharacters }: NewResponse) =>
  db
    .selectFrom(
      db
        .selectFrom('stored_responses')
        .select(['id', sql<number>`sum(size) over (order by created_at desc, id desc)`.as('total')])
        .where('owner', '=', owner)
        .as('sized'),
    )
    .select('sized.id')
    .where('sized.total', '>', mostCharacters)

const storing = (db: Kysely<RecordsSchema>, response: NewResponse) => {
  const { owner, id, itemIds, contextIds, expiresAt } = response
  const { owner: _, id: __, ...row } = rowOf(response)
  const items = [...new Set(itemIds)].map(item => ({ owner, item_id: item, response_id: id }))
  return [
    db
      .insertInto('stored_responses')
      .values({ owner, id, ...row })
      .onConflict(conflict => conflict.columns(['owner', 'id']).doUpdateSet(row)),
    ...(items.length === 0
      ? []
      : [
          db
            .insertInto('stored_response_items')
            .values(items)
            .onConflict(conflict => conflict.columns(['owner', 'item_id']).doUpdateSet({ response_id: id })),
        ]),
    ...(contextIds.length === 0
      ? []
      : [
          db
            .updateTable('stored_responses')
            .set({ expires_at: whole(expiresAt) })
            .where('owner', '=', owner)
            .where('id', 'in', contextIds)
            .where('expires_at', '<', whole(expiresAt)),
        ]),
    db
      .deleteFrom('stored_response_items')
      .where('owner', '=', owner)
      .where('response_id', 'in', beyond(db, response)),
    db.deleteFrom('stored_responses').where('owner', '=', owner).where('id', 'in', beyond(db, response)),
  ]
}

const chainOf = (db: Kysely<RecordsSchema>, owner: string, id: string, now: number) =>
  db
    .withRecursive('chain', chain =>
      chain
        .selectFrom('stored_responses')
        .select([...COLUMNS, sql<number>`0`.as('depth')])
        .where('owner', '=', owner)
        .where('id', '=', id)
        .where('expires_at', '>', now)
        .unionAll(
          chain
            .selectFrom('chain')
            .innerJoin('stored_responses as earlier', 'earlier.id', 'chain.previous_id')
            .select([
              'earlier.owner',
              'earlier.id',
              'earlier.previous_id',
              'earlier.provider',
              'earlier.created_at',
              'earlier.input',
              'earlier.response',
              sql<number>`chain.depth + 1`.as('depth'),
            ])
            .where('earlier.owner', '=', owner)
            .where('earlier.expires_at', '>', now)
            .where('chain.depth', '<', LONGEST_CHAIN),
        ),
    )
    .selectFrom('chain')
    .select(COLUMNS)
    .orderBy('depth', 'desc')

/**
 * The beginning of the id that an answer gets when it is removed while others continue it. No client can send a space in
 * an id, so that it is found as a part of their chains alone.
 */
const HIDDEN = 'removed '

/** Deletes an answer that no other one continues, and the hidden ones before it that only it continued. */
const deleting = (db: Kysely<RecordsSchema>, owner: string, id: string) =>
  db
    .withRecursive('gone', gone =>
      gone
        .selectFrom('stored_responses as last')
        .select(['last.id', 'last.previous_id'])
        .where('last.owner', '=', owner)
        .where('last.id', '=', id)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('stored_responses as later')
                .select('later.id')
                .where('later.owner', '=', owner)
                .where('later.previous_id', '=', id)
                // An upstream may repeat an id, so that an answer continues itself.
                .where('later.id', '!=', id),
            ),
          ),
        )
        .union(
          gone
            .selectFrom('gone')
            .innerJoin('stored_responses as earlier', 'earlier.id', 'gone.previous_id')
            .select(['earlier.id', 'earlier.previous_id'])
            .where('earlier.owner', '=', owner)
            .where('earlier.id', 'like', `${HIDDEN}%`)
            .where(({ not, exists, selectFrom }) =>
              not(
                exists(
                  selectFrom('stored_responses as later')
                    .select('later.id')
                    .where('later.owner', '=', owner)
                    .whereRef('later.previous_id', '=', 'earlier.id')
                    .whereRef('later.id', '!=', 'gone.id'),
                ),
              ),
            ),
        ),
    )
    .deleteFrom('stored_responses')
    .where('owner', '=', owner)
    .where('id', 'in', db => db.selectFrom('gone').select('gone.id'))
    .returning('id')

/** Hides an answer that is still there, and names it so in those that continue it. */
const hiding = (db: Kysely<RecordsSchema>, owner: string, id: string) => {
  const hidden = `${HIDDEN}${crypto.randomUUID()}`
  return [
    db
      .updateTable('stored_responses')
      .set({ id: hidden })
      .where('owner', '=', owner)
      .where('id', '=', id)
      .returning('id'),
    db
      .updateTable('stored_responses')
      .set({ previous_id: hidden })
      .where('owner', '=', owner)
      .where('previous_id', '=', id)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('stored_responses as earlier')
            .select('earlier.id')
            .where('earlier.owner', '=', owner)
            .where('earlier.id', '=', hidden),
        ),
      ),
  ]
}

/** The stored answers in the records, SQLite's and Postgres' alike. */
export const responseRecords = (records: Records): ResponseRecords => ({
  async store(response) {
    await records.writeTogether(db => storing(db, response))
  },
  find: (owner, id, now) =>
    records.read(async db => {
      const row = await db
        .selectFrom('stored_responses')
        .select(COLUMNS)
        .where('owner', '=', owner)
        .where('id', '=', id)
        .where('expires_at', '>', whole(now))
        .executeTakeFirst()
      return row && responseOf(row)
    }),
  chain: (owner, id, now) =>
    records.read(async db => (await chainOf(db, owner, id, whole(now)).execute()).map(responseOf)),
  holding: (owner, itemIds, now) =>
    records.read(async db => {
      const rows = await db
        .selectFrom('stored_responses')
        .select(COLUMNS)
        .where('owner', '=', owner)
        .where('expires_at', '>', whole(now))
        .where('id', 'in', eb =>
          eb
            .selectFrom('stored_response_items')
            .select('response_id')
            .where('owner', '=', owner)
            .where('item_id', 'in', itemIds),
        )
        .execute()
      return rows.map(responseOf)
    }),
  async remove(owner, id) {
    const [deleted, hidden] =
      (await records.writeTogether(db => [
        deleting(db, owner, id),
        ...hiding(db, owner, id),
        db.deleteFrom('stored_response_items').where('owner', '=', owner).where('response_id', '=', id),
      ])) ?? []
    return [deleted, hidden].some(result => (result?.rows.length ?? 0) > 0)
  },
  async removeExpired(now) {
    const isGone = (db: Kysely<RecordsSchema>) =>
      db
        .selectFrom('stored_responses')
        .select('id')
        .whereRef('stored_responses.owner', '=', 'stored_response_items.owner' as 'owner')
        .whereRef('stored_responses.id', '=', 'stored_response_items.response_id' as 'id')
        .where('expires_at', '<=', whole(now))
    await records.writeTogether(db => [
      db.deleteFrom('stored_response_items').where(({ exists }) => exists(isGone(db))),
      db.deleteFrom('stored_responses').where('expires_at', '<=', whole(now)),
    ])
  },
})
