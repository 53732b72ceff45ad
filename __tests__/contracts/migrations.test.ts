import { type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { keyRecords } from '#lib/auth/keys/records.ts'
import { batchRecords } from '#lib/batch/records/records.ts'
import { V1BatchRecords } from '#lib/batch/v1/batch-records.ts'
import { FileRecords } from '#lib/batch/v1/file-records.ts'
import { HoldRecords } from '#lib/budgets/hold-records.ts'
import { LimitRecords } from '#lib/budgets/limit-records.ts'
import { kvRecords } from '#lib/kv/records.ts'
import { listRequests } from '#lib/ledger/requests.ts'
import { responseRecords } from '#lib/responses/records.ts'
import type { Records } from '#lib/storage/records/records.ts'
import type { RecordsSchema } from '#lib/storage/records/schema.ts'
import { DATABASES, type DatabaseKind, newDatabases } from '../support/databases.ts'
import { MIGRATION_NAMES, makeOldDatabase } from '../support/old-databases.ts'

const databases = newDatabases()
const AT = Date.UTC(2026, 10, 28, 1, 29)
const LATER = AT + 86_400_000
const OWNER = 'guest ada'
const JOB = `batch_${'1'.repeat(32)}`
const V1_JOB = `batch_${'2'.repeat(32)}`
const KEY = `key_${'3'.repeat(24)}`

type Db = Kysely<RecordsSchema>

const jobRow = (id: string, isV1: 0 | 1) => ({
  id,
  owner: OWNER,
  name: 'Tickets',
  priority: 'normal',
  state: 'running',
  rank: AT,
  created_at: AT,
  total: 2,
  queued: 1,
  running: 0,
  succeeded: 1,
  failed: 0,
  cancelled: 0,
  cost_pico: 1_500_000_000_000,
  unpriced: 0,
  webhook_attempts: 0,
  instruction: '"Translate"',
  is_v1: isV1,
})

const itemRow = (place: number) => ({
  job_id: JOB,
  place,
  item_id: `item-${place}`,
  state: place === 0 ? 'succeeded' : 'queued',
  request: JSON.stringify({
    model: 'mock',
    messages: [{ role: 'user', content: 'Größe 🙂' }],
    maxTokens: 10,
  }),
  attempts: place === 0 ? 1 : 0,
  failures: 0,
  fence: 0,
  not_before: 0,
  instructed: 1,
  ended_at: place === 0 ? AT : null,
  answer: place === 0 ? JSON.stringify({ content: 'Gut', finishReason: 'stop' }) : null,
})

/** What a gateway had stored before there were keys. */
const fillBeforeKeys = async (db: Db): Promise<void> => {
  await db
    .insertInto('batch_jobs')
    .values([jobRow(JOB, 0), jobRow(V1_JOB, 1)])
    .execute()
  await db
    .insertInto('batch_items')
    .values([itemRow(0), itemRow(1)])
    .execute()
  await db
    .insertInto('stored_responses')
    .values({
      owner: OWNER,
      id: 'resp_1',
      created_at: AT,
      expires_at: LATER,
      size: 9,
      input: '[]',
      response: '{"id":"resp_1"}',
    })
    .execute()
  await db
    .insertInto('stored_response_items')
    .values({ owner: OWNER, item_id: 'msg_1', response_id: 'resp_1' })
    .execute()
  await db
    .insertInto('files')
    .values({
      id: 'file-1',
      owner: OWNER,
      name: 'in.jsonl',
      purpose: 'batch',
      bytes: 5_000_000_000,
      created_at: AT,
    })
    .execute()
  await db
    .insertInto('v1_batches')
    .values({
      id: 'batch_v1',
      owner: OWNER,
      api: 'batches',
      state: 'running',
      endpoint: '/v1/chat/completions',
      input_file_id: 'file-1',
      created_at: AT,
      expires_at: LATER,
      fence: 0,
      lease_until: 0,
      job_id: V1_JOB,
      begun_at: AT,
    })
    .execute()
}

/** What was stored besides when keys, budgets, values and the ledger had just come. */
const fillWithKeys = async (db: Db): Promise<void> => {
  await fillBeforeKeys(db)
  await db
    .insertInto('api_keys')
    .values({
      id: KEY,
      name: 'Search',
      role: 'member',
      made_by: 'admin',
      prefix: 'pk_one',
      created_at: AT,
      day_nano: 7,
    })
    .execute()
  await db
    .insertInto('api_key_secrets')
    .values({ digest: 'd'.repeat(64), key_id: KEY, prefix: 'pk_one', created_at: AT })
    .execute()
  await db.insertInto('budgets').values({ scope: 'all', month_nano: 9_000, updated_at: AT }).execute()
  await db
    .insertInto('budget_counters')
    .values({ scope: 'all', period: '2026-11', spent: 42, reserved: 0 })
    .execute()
  await sql`insert into kv_owners (owner, entries, bytes) values (${OWNER}, 1, 6)`.execute(db)
  await db.insertInto('kv_entries').values({ owner: OWNER, key: 'note', bytes: 6, value: '"kept"' }).execute()
  await db
    .insertInto('ledger_requests')
    .values({
      id: 'row-1',
      request_id: 'request-1',
      kind: 'request',
      at: AT,
      ended_at: AT + 5,
      owner: OWNER,
      caller: 'guest',
      key_id: '',
      route: '/api/chat',
      surface: 'chat',
      model_asked: 'mock',
      provider: 'mock',
      model: 'mock',
      outcome: 'ok',
      latency_ms: 5,
      input: 1,
      cached: 0,
      written: 0,
      written_1h: 0,
      output: 2,
      reasoning: 0,
      audio_input: 0,
      audio_output: 0,
      image_input: 0,
      cost_nano: 42,
      estimated: 0,
      attempts: 1,
      detail: '{}',
    })
    .execute()
}

const assertBatches = async (records: Records): Promise<void> => {
  const batches = batchRecords(records)
  expect(await batches.find(OWNER, JOB)).toMatchObject({ name: 'Tickets', costUsd: 1.5 })
  const { entries } = await batches.items(JOB, { limit: 10 })
  expect(entries).toMatchObject([
    { id: 'item-0', state: 'succeeded', response: { content: 'Gut' } },
    { id: 'item-1', state: 'queued' },
  ])
  const claims = await batches.claim({ count: 5, now: AT, leaseMs: 1_000 })
  expect(claims).toMatchObject([
    { jobId: JOB, owner: OWNER, instruction: 'Translate', request: { maxTokens: 10 } },
  ])
}

const assertOpenAiState = async (records: Records): Promise<void> => {
  const responses = responseRecords(records)
  expect(await responses.find(OWNER, 'resp_1', AT)).toMatchObject({ response: '{"id":"resp_1"}' })
  expect(await responses.holding(OWNER, ['msg_1'], AT)).toMatchObject([{ id: 'resp_1' }])
  expect(await new FileRecords(records).find(OWNER, 'file-1', AT)).toMatchObject({ bytes: 5_000_000_000 })
  expect(await new V1BatchRecords(records).find(OWNER, 'batches', 'batch_v1')).toMatchObject({
    id: 'batch_v1',
  })
}

const migrationsIn = (records: Records): Promise<readonly string[]> =>
  records.read(async db => {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
    return rows.map(({ name }) => name)
  })

const opened = async (
  kind: DatabaseKind,
  last: string,
  fill: (db: Db) => Promise<void>,
): Promise<Records> => {
  const location = await databases.newLocation(kind)
  await makeOldDatabase(location, last, fill)
  const records = await databases.openAt(location)
  expect(await migrationsIn(records)).toEqual(MIGRATION_NAMES)
  return records
}

describe.each(DATABASES)('an older database in %s', kind => {
  it('of a gateway without keys is brought up to date, and its batches, files and answers are read', async () => {
    const records = await opened(kind, '2026-11-28-v1-batches', fillBeforeKeys)
    await assertBatches(records)
    await assertOpenAiState(records)
    expect(await keyRecords(records).any()).toBe(false)
  })

  it.each([
    ['without the expiry of values', fillWithKeys],
    [
      'with the expiry of values, which new databases had for a time',
      async (db: Db) => {
        await db.schema.alterTable('kv_owners').addColumn('expires_at', 'bigint').execute()
        await db.schema.createIndex('kv_owners_expired').on('kv_owners').column('expires_at').execute()
        await fillWithKeys(db)
      },
    ],
  ])('of the first gateway with keys is too, with keys, budgets, values and ledger: %s', async (_, fill) => {
    const records = await opened(kind, '2026-11-29-ledger', fill)
    await assertBatches(records)
    await assertOpenAiState(records)
    expect(await keyRecords(records).findByDigest('d'.repeat(64))).toMatchObject({
      key: { id: KEY, name: 'Search', budget: { dayNanoUsd: 7 }, lastUsedAt: undefined },
    })
    expect(await new LimitRecords(records).find('all')).toEqual({ scope: 'all', monthNanoUsd: 9_000 })
    expect(await new HoldRecords(records).counters(['all'], '2026-11-28')).toContainEqual({
      scope: 'all',
      period: '2026-11',
      spent: 42,
      reserved: 0,
    })
    expect(await kvRecords(records).get(OWNER, 'note')).toBe('"kept"')
    expect((await listRequests(records, { owner: OWNER, limit: 10 })).entries).toMatchObject([
      { request_id: 'request-1', cost_nano: 42, question: null },
    ])
  })
})
