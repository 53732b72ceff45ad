import { isUtf8 } from 'node:buffer'
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Records } from '../storage/records/records.ts'
import type { RecordsSchema } from '../storage/records/schema.ts'
import type { IdempotencyKeysTable } from '../storage/records/tables/values.ts'
import type { ClaimTimes, Found, IdempotencyRecords, RequestKey, StoredResult } from './types.ts'

type Db = Kysely<RecordsSchema>
type Row = Selectable<IdempotencyKeysTable>

const whole = Math.floor
const NUL = 0

/** Text as it is; bytes that no text column can hold, in base64. */
const encoded = (body: Uint8Array): Pick<Row, 'encoding' | 'body'> => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return isUtf8(bytes) && !bytes.includes(NUL)
    ? { encoding: 'utf8', body: bytes.toString('utf8') }
    : { encoding: 'base64', body: bytes.toString('base64') }
}

const resultOf = ({ status, headers, encoding, body }: Row): StoredResult | undefined =>
  status === null || headers === null || body === null
    ? undefined
    : {
        status,
        headers: JSON.parse(headers),
        body: Buffer.from(body, encoding === 'base64' ? 'base64' : 'utf8'),
      }

const foundOf = (row: Row, fingerprint: string): Found => {
  if (row.fingerprint !== fingerprint) return { state: 'other-body' }
  if (row.state === 'running') return { state: 'running' }
  const result = resultOf(row)
  return result ? { state: 'done', result } : { state: 'without-result' }
}

const claiming = (
  db: Db,
  request: RequestKey,
  fingerprint: string,
  claim: string,
  { now, leaseUntil, expiresAt }: ClaimTimes,
) => {
  const fresh = {
    fingerprint,
    claim,
    state: 'running',
    lease_until: whole(leaseUntil),
    expires_at: whole(expiresAt),
    size: 0,
    status: null,
    headers: null,
    encoding: null,
    body: null,
  }
  return db
    .insertInto('idempotency_keys')
    .values({ ...request, ...fresh })
    .onConflict(conflict =>
      conflict
        .columns(['owner', 'method', 'path', 'key'])
        .doUpdateSet(fresh)
        .where(({ eb, or, and }) =>
          or([
            eb('idempotency_keys.expires_at', '<=', whole(now)),
            and([
              eb('idempotency_keys.state', '=', 'running'),
              eb('idempotency_keys.lease_until', '<=', whole(now)),
            ]),
          ]),
        ),
    )
    .returning('claim')
}

const reading = (db: Db, { owner, method, path, key }: RequestKey) =>
  db
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('owner', '=', owner)
    .where('method', '=', method)
    .where('path', '=', path)
    .where('key', '=', key)

const completing = (db: Db, claim: string, result: StoredResult | undefined) =>
  db
    .updateTable('idempotency_keys')
    .set({
      state: 'done',
      ...(result && {
        status: result.status,
        headers: JSON.stringify(result.headers),
        size: result.body.length,
        ...encoded(result.body),
      }),
    })
    .where('claim', '=', claim)
    .where('state', '=', 'running')

/** The results of an owner beyond its room, the newest ones kept. */
const beyond = (db: Db, owner: string, bytes: number) =>
  db
    .selectFrom(
      db
        .selectFrom('idempotency_keys')
        .select(['claim', sql<number>`sum(size) over (order by expires_at desc, claim desc)`.as('total')])
        .where('owner', '=', owner)
        .where('size', '>', 0)
        .as('sized'),
    )
    .select('sized.claim')
    .where('sized.total', '>', bytes)

/** The keys in the records, SQLite's and Postgres' alike. */
export const idempotencyRecords = (records: Records): IdempotencyRecords => ({
  async claim(request, fingerprint, claim, times) {
    for (;;) {
      const results = await records.writeTogether(db => [
        claiming(db, request, fingerprint, claim, times),
        reading(db, request),
      ])
      if (results?.[0]?.rows.length) return 'claimed'
      const [row] = (results?.[1]?.rows ?? []) as readonly Row[]
      // Between the two statements the row may have been released.
      if (row) return foundOf(row, fingerprint)
    }
  },
  async complete(claim, result) {
    const done = await records.writeTogether(db => [
      { query: completing(db, claim, result).compile(), mustMatch: true },
    ])
    return done !== undefined
  },
  async release(claim) {
    await records.writeTogether(db => [
      db.deleteFrom('idempotency_keys').where('claim', '=', claim).where('state', '=', 'running'),
    ])
  },
  async renew(claims, leaseUntil) {
    await records.writeTogether(db => [
      db
        .updateTable('idempotency_keys')
        .set({ lease_until: whole(leaseUntil) })
        .where('claim', 'in', claims)
        .where('state', '=', 'running'),
    ])
  },
  async removeExpired(now, most) {
    const [removed] =
      (await records.writeTogether(db => [
        db
          .deleteFrom('idempotency_keys')
          .where('claim', 'in', eb =>
            eb
              .selectFrom('idempotency_keys')
              .select('claim')
              .where('expires_at', '<=', whole(now))
              .limit(most),
          )
          .returning('claim'),
      ])) ?? []
    return removed?.rows.length ?? 0
  },
  async dropBeyond(owner, bytes) {
    await records.writeTogether(db => [
      db
        .updateTable('idempotency_keys')
        .set({ status: null, headers: null, encoding: null, body: null, size: 0 })
        .where('claim', 'in', beyond(db, owner, bytes)),
    ])
  },
})
