import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { batchRecords } from '#lib/batch/records/records.ts'
import type { BatchRecords, Claim, ItemReply, NewItem, Outcome } from '#lib/batch/types.ts'
import type { RecordsLocation } from '#lib/storage/records/open.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { newDatabases } from '../support/databases.ts'
import { seededRandom } from '../support/seeded-random.ts'

const ROUNDS = 12
const ITEMS = 24
const OWNER = 'guest ada'
const FAULT = { code: 'TIMEOUT', message: 'Too late.', retryable: true } as const
const ANSWER: ItemReply = {
  content: 'An answer',
  finishReason: 'stop',
  truncated: false,
  target: { provider: 'mock', model: 'echo', name: 'mock/echo' },
  usage: { inputTokens: 3, outputTokens: 4 },
  cache: 'miss',
}
const OUTCOMES: readonly Outcome[] = [
  { state: 'succeeded', answer: ANSWER },
  { state: 'failed', fault: FAULT },
  { state: 'again', notBefore: 0, countsAs: 'failure', fault: FAULT },
]
/** Short, so that workers claim each other's items as well. */
const LEASE_MS = 30

const databases = newDatabases()
const random = seededRandom(11)
const oneOf = <T>(all: readonly [T, ...T[]] | readonly T[]): T => all[Math.floor(random() * all.length)] as T
const items: readonly NewItem[] = Array.from({ length: ITEMS }, (_, index) => ({
  id: `item-${index}`,
  request: { prompt: `Question ${index}`, maxTokens: 10, cache: 'default', fallback: true },
}))

let ids = 0
const submitted = async (records: BatchRecords): Promise<string> => {
  ids += 1
  const id = `batch_${ids.toString(16).padStart(32, '0')}`
  await records.submit({ id, owner: OWNER, name: 'A job', priority: 'normal', createdAt: ids }, items)
  return id
}

/** Claims, prolongs and settles items, all at once, until it is to stop. */
const work = async (records: BatchRecords, isOver: () => boolean): Promise<void> => {
  const renewed = async (claims: readonly Claim[]) => {
    // In an order of its own, as claims of several jobs and moments have.
    const shuffled = claims.toSorted(() => random() - 0.5)
    await records.renew(shuffled, { now: Date.now(), leaseMs: LEASE_MS })
  }
  const settled = async (claim: Claim) => {
    await sleep(random() * LEASE_MS * 1.2)
    await records.settle(claim, oneOf(OUTCOMES), Date.now())
  }
  let held: readonly Claim[] = []
  while (!isOver()) {
    const claims = await records.claim({ count: 6, now: Date.now(), leaseMs: LEASE_MS })
    held = [...held, ...claims].slice(-12)
    await Promise.all([...claims.map(settled), renewed(held), renewed(held)])
  }
}

const deadlocksAt = async (location: RecordsLocation): Promise<number> => {
  const { db } = await databases.openAt(location)
  const { rows } = await sql<{ deadlocks: string }>`
    select deadlocks from pg_stat_database where datname = current_database()`.execute(db)
  return Number(rows[0]?.deadlocks)
}

it('jobs in Postgres are cancelled and retried while workers claim, prolong and settle their items, without a deadlock', async () => {
  const location = await databases.newLocation('Postgres')
  const open: Records[] = []
  for (let count = 0; count < 3; count += 1) open.push(await databases.openAt(location))
  const [callers, ...workers] = open.map(batchRecords) as [BatchRecords, ...BatchRecords[]]
  let isOver = false
  const working = Promise.all(workers.map(records => work(records, () => isOver)))
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [first, second, third] = [
        await submitted(callers),
        await submitted(callers),
        await submitted(callers),
      ]
      await sleep(random() * 60)
      const ends = await Promise.all([
        callers.cancel(OWNER, first, Date.now()),
        callers.cancel(OWNER, second, Date.now()),
        callers.retryFailed(OWNER, third, Date.now()),
      ])
      expect(ends.slice(0, 2)).toEqual([true, true])
      await callers.cancel(OWNER, third, Date.now())
      for (const id of [first, second]) {
        const job = await callers.find(OWNER, id)
        const { queued, running, succeeded, failed, cancelled } = job?.counts ?? {}
        expect({ state: job?.state, queued, running }).toEqual({ state: 'cancelled', queued: 0, running: 0 })
        expect((succeeded ?? 0) + (failed ?? 0) + (cancelled ?? 0)).toBe(ITEMS)
      }
    }
  } finally {
    isOver = true
    await working
  }
  // A connection that closes reports what it counted.
  for (const records of open) await records.close()
  expect(await deadlocksAt(location)).toBe(0)
})
