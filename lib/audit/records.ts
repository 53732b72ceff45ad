import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Records } from '../storage/records/records.ts'
import type { RecordsSchema } from '../storage/records/schema.ts'
import type { AuditLogTable } from '../storage/records/tables/audit.ts'
import { rowAfter } from './chain.ts'
import type { AuditAnchor, AuditEntry, AuditRow } from './types.ts'

type Db = Kysely<RecordsSchema>

const HEAD = 1

const rowOf = (row: Selectable<AuditLogTable>): AuditRow => ({
  sequence: Number(row.sequence),
  at: Number(row.at),
  actor: row.actor,
  action: row.action,
  object: row.object,
  beforeHash: row.before_hash,
  afterHash: row.after_hash,
  detail: row.detail,
  address: row.address,
  requestId: row.request_id,
  previousHash: row.previous_hash,
  hash: row.hash,
})

const columnsOf = ({ beforeHash, afterHash, requestId, previousHash, ...row }: AuditRow) => ({
  ...row,
  before_hash: beforeHash,
  after_hash: afterHash,
  request_id: requestId,
  previous_hash: previousHash,
})

/** Appends in a transaction. Others that append wait for its end, so that the chain has no branches. */
const appendIn = async (db: Transaction<RecordsSchema>, entry: AuditEntry, at: number): Promise<void> => {
  const head = await db
    .updateTable('audit_head')
    .set(({ ref }) => ({ hash: ref('hash') }))
    .where('id', '=', HEAD)
    .returning(['sequence', 'hash'])
    .executeTakeFirstOrThrow()
  const row = rowAfter({ sequence: Number(head.sequence), hash: head.hash }, entry, at)
  await db.insertInto('audit_log').values(columnsOf(row)).execute()
  await db
    .updateTable('audit_head')
    .set({ sequence: row.sequence, hash: row.hash })
    .where('id', '=', HEAD)
    .execute()
}

/** The audit log in the database. Nothing here changes or removes a row. */
export class AuditRecords {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  async append(entry: AuditEntry, at: number, transaction?: Transaction<RecordsSchema>): Promise<void> {
    if (transaction) await appendIn(transaction, entry, at)
    else await this.#records.write(own => appendIn(own, entry, at))
  }

  /** The last row's number and hash, as they were written with it. */
  head(): Promise<AuditAnchor> {
    return this.#records.read(async (db: Db) => {
      const { sequence, hash } = await db
        .selectFrom('audit_head')
        .select(['sequence', 'hash'])
        .where('id', '=', HEAD)
        .executeTakeFirstOrThrow()
      return { sequence: Number(sequence), hash }
    })
  }

  /** Rows in their order, after one. */
  after(sequence: number, limit: number): Promise<readonly AuditRow[]> {
    return this.#records.read(async db => {
      const rows = await db
        .selectFrom('audit_log')
        .selectAll()
        .where('sequence', '>', sequence)
        .orderBy('sequence')
        .limit(limit)
        .execute()
      return rows.map(rowOf)
    })
  }

  /** The newest rows first, before one; from the last one when absent. */
  before(sequence: number | undefined, limit: number): Promise<readonly AuditRow[]> {
    return this.#records.read(async db => {
      const query = db.selectFrom('audit_log').selectAll().orderBy('sequence', 'desc').limit(limit)
      const rows = await (sequence === undefined ? query : query.where('sequence', '<', sequence)).execute()
      return rows.map(rowOf)
    })
  }
}
