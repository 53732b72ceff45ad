import type { CreateTableBuilder, Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const BUCKETS = 32
const CALL_TEXTS = ['request_id', 'owner', 'caller', 'key_id', 'key_name', 'route', 'surface', 'model_asked']
const ANSWER_TEXTS = ['provider', 'model', 'arm', 'outcome', 'code']
const NUMBERS = [
  'at',
  'ended_at',
  'latency_ms',
  'first_content_ms',
  'input',
  'cached',
  'written',
  'written_1h',
  'output',
  'reasoning',
  'audio_input',
  'audio_output',
  'image_input',
  'cost_nano',
  'estimated',
]
const SUMS = [
  'requests',
  'errors',
  'hits',
  'attempts',
  'unpriced',
  'input',
  'cached',
  'written',
  'output',
  'reasoning',
  'cost_nano',
  'saved_nano',
]

type Table = CreateTableBuilder<string, string>

const withColumns = (table: Table, texts: readonly string[], numbers: readonly string[]): Table => {
  let all = table
  for (const name of texts) all = all.addColumn(name, 'text')
  for (const name of numbers) all = all.addColumn(name, 'bigint')
  return all
}

const rows = (db: Kysely<unknown>, table: string, texts: readonly string[], numbers: readonly string[]) =>
  withColumns(
    db.schema.createTable(table).addColumn('id', 'text', column => column.primaryKey()) as Table,
    [...CALL_TEXTS, ...ANSWER_TEXTS, ...texts],
    [...NUMBERS, ...numbers],
  )

const rollups = (db: Kysely<unknown>) => {
  const buckets = Array.from({ length: BUCKETS }, (_, bucket) => [`latency_${bucket}`, `first_${bucket}`])
  let table = db.schema.createTable('ledger_rollups') as Table
  for (const name of ['span', 'start']) table = table.addColumn(name, 'bigint', column => column.notNull())
  for (const name of ['owner', 'key_id', 'provider', 'model'])
    table = table.addColumn(name, 'text', column => column.notNull())
  for (const name of [...SUMS, ...buckets.flat()])
    table = table.addColumn(name, 'bigint', column => column.notNull().defaultTo(0))
  return withColumns(
    table,
    ['key_name'],
    ['latency_min', 'latency_max', 'first_min', 'first_max'],
  ).addPrimaryKeyConstraint('ledger_rollups_key', ['span', 'start', 'owner', 'key_id', 'provider', 'model'])
}

/** Rows of requests and attempts and their sums by hour and day. */
export const ledger: Migration = {
  async up(db: Kysely<unknown>) {
    await rows(
      db,
      'ledger_attempts',
      ['request', 'vendor_model', 'unit', 'price_version', 'tier'],
      ['units', 'reported_nano', 'computed_nano'],
    ).execute()
    await rows(
      db,
      'ledger_requests',
      ['kind', 'cache', 'detail'],
      ['attempts', 'status', 'saved_nano'],
    ).execute()
    await rollups(db).execute()
    const index = (name: string, table: string, columns: string[]) =>
      db.schema.createIndex(name).on(table).columns(columns).execute()
    await index('ledger_attempts_of_request', 'ledger_attempts', ['request'])
    await index('ledger_attempts_at', 'ledger_attempts', ['at'])
    await index('ledger_requests_of_owner', 'ledger_requests', ['owner', 'at', 'id'])
    await index('ledger_requests_by_request_id', 'ledger_requests', ['request_id', 'at'])
    await index('ledger_requests_at', 'ledger_requests', ['at', 'id'])
    await index('ledger_rollups_of_owner', 'ledger_rollups', ['owner', 'span', 'start'])
    await index('ledger_rollups_of_key', 'ledger_rollups', ['key_id', 'span', 'start'])
  },
}
