import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { batchRecords } from '#lib/batch/records/records.ts'
import type {
  BatchRecords,
  Claim,
  Item,
  ItemReply,
  ItemState,
  Job,
  NewItem,
  NewJob,
  Outcome,
  Page,
  WebhookDue,
} from '#lib/batch/types.ts'
import type { RecordsLocation } from '#lib/storage/records/open.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'

const databases = newDatabases()

const openAt = async (location: RecordsLocation): Promise<BatchRecords> =>
  batchRecords(await databases.openAt(location))

let ids = 0
const job = (changes: Partial<NewJob> = {}): NewJob => ({
  id: `batch_${(++ids).toString(16).padStart(32, '0')}`,
  owner: 'guest ada',
  name: 'A job',
  priority: 'normal',
  createdAt: 1_000,
  ...changes,
})
const items = (count: number): NewItem[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `item-${index}`,
    request: { prompt: `Question ${index}`, maxTokens: 10, cache: 'default', fallback: true },
    source: { file: 'questions.txt', line: index + 1 },
  }))

const TARGET = { provider: 'mock', model: 'echo', name: 'mock/echo' }
const answer = (changes: Partial<ItemReply> = {}): ItemReply => ({
  content: 'Grüße 🎉',
  finishReason: 'stop',
  truncated: false,
  target: TARGET,
  usage: { inputTokens: 3, outputTokens: 4 },
  cache: 'miss',
  ...changes,
})
const succeeded = (costPicoUsd?: number): Outcome => ({
  state: 'succeeded',
  answer: answer(costPicoUsd === undefined ? {} : { costPicoUsd }),
})
const USD = 1e12
const FAULT = { code: 'TIMEOUT', message: 'Too late.', retryable: true } as const
const failed: Outcome = { state: 'failed', fault: FAULT }

const LEASE_MS = 20_000

describe.each(DATABASES)('batch jobs in %s', kind => {
  let location: RecordsLocation
  let records: BatchRecords
  beforeEach(async () => {
    location = await databases.locationOf(kind)
    records = await openAt(location)
  })

  const claim = (count: number, now = 10_000): Promise<readonly Claim[]> =>
    records.claim({ count, now, leaseMs: LEASE_MS })
  const only = async (count = 1, now?: number): Promise<Claim> => (await claim(count, now))[0] as Claim
  const stateOf = async (id: string, owner = 'guest ada') => {
    const found = await records.find(owner, id)
    return found && { state: found.state, ...found.counts }
  }
  /** Ends whatever is open. */
  const finishAll = async () => {
    for (;;) {
      const claims = await claim(100, 1e15)
      if (claims.length === 0) return
      for (const claimed of claims) await records.settle(claimed, failed, 1)
    }
  }

  it('are taken whole, found by their owner alone, and tell their items in order without what was asked', async () => {
    const made = job({ name: 'Größe “1”', scheduledFor: 5_000, webhookUrl: 'https://example.com/hook' })
    await records.submit(made, items(450))
    expect(await records.find('guest ada', made.id)).toEqual({
      ...made,
      state: 'queued',
      counts: { total: 450, queued: 450, running: 0, succeeded: 0, failed: 0, cancelled: 0 },
      costUsd: 0,
      unpriced: 0,
    })
    expect(await records.find('guest eve', made.id)).toBeUndefined()
    const first = await records.items(made.id, { limit: 400 })
    const second = await records.items(made.id, { limit: 400, cursor: first.cursor ?? '' })
    expect(second.cursor).toBeUndefined()
    const all = [...first.entries, ...second.entries]
    expect(all.map(({ index }) => index)).toEqual(Array.from({ length: 450 }, (_, index) => index))
    const { id, source } = items(4)[3] as NewItem
    expect(all[3]).toEqual({ id, index: 3, source, state: 'queued', attempts: 0 })
  })

  it('tell their items in pages that hold no more than 4 MB of answers, or one that is longer', async () => {
    const made = job()
    const sizes = [1_500_000, 1_500_000, 1_500_000, 5_000_000, 10, 10]
    await records.submit(made, items(sizes.length))
    for (const claimed of await claim(sizes.length)) {
      const content = 'ü'.repeat((sizes[claimed.index] ?? 0) / 2)
      await records.settle(claimed, { state: 'succeeded', answer: answer({ content }) }, 1)
    }
    const pages: (readonly Item[])[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const page: Page<Item> = await records.items(made.id, { limit: 9, ...(cursor && { cursor }) })
      pages.push(page.entries)
      cursor = page.cursor
    }
    expect(pages.map(page => page.map(({ index }) => index))).toEqual([[0, 1], [2], [3], [4, 5]])
    expect(pages.flat().map(one => Buffer.byteLength(one.response?.content ?? ''))).toEqual(sizes)
    const first = await records.items(made.id, { limit: 1, state: 'succeeded' })
    expect(first).toMatchObject({ entries: [{ index: 0 }], cursor: expect.any(String) })
  })

  it('keep what was passed over of an upload, and say it with its job', async () => {
    const warnings = ['a.csv: passed over: column "topic\u0000"']
    const made = job({ warnings })
    expect(await records.submit(made, items(1))).toMatchObject({ warnings })
    expect(await records.find(made.owner, made.id)).toMatchObject({ warnings })
    const other = job()
    await records.submit(other, items(1))
    expect(await records.find(other.owner, other.id)).not.toHaveProperty('warnings')
  })

  it('keep an instruction once, for those items that stand below it', async () => {
    const instruction = 'Sum up\u0000 “this”'
    const made = job({ instruction })
    const [first, second] = items(2) as [NewItem, NewItem]
    const taken = await records.submit(made, [{ ...first, instructed: true }, second])
    const claims = await claim(2)
    expect(claims).toMatchObject([{ instruction, request: first.request }, { request: second.request }])
    expect(claims[1]).not.toHaveProperty('instruction')
    for (const shown of [taken, await records.find('guest ada', made.id)])
      expect(shown).not.toHaveProperty('instruction')
  })

  it('are not taken at all when their items fail on the way, or are none', async () => {
    const broken = job()
    const breaking = async function* () {
      yield* items(900)
      throw new Error('the file ended')
    }
    await expect(records.submit(broken, breaking())).rejects.toThrow('the file ended')
    const empty = job()
    await expect(records.submit(empty, [])).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect(await records.find('guest ada', broken.id)).toBeUndefined()
    expect(await claim(1)).toEqual([])
    expect(await records.sweep(0)).toBe(2)
    expect((await records.items(broken.id, { limit: 1 })).entries).toEqual([])
  })

  it('count their items and what they cost, to the picodollar', async () => {
    const made = job()
    await records.submit(made, items(4))
    const claims = await claim(4)
    expect(claims[0]).toMatchObject({
      owner: 'guest ada',
      attempt: 1,
      failures: 0,
      request: items(1)[0]?.request,
    })
    expect(await stateOf(made.id)).toMatchObject({ state: 'running', queued: 0, running: 4 })
    const [a, b, c, d] = claims as [Claim, Claim, Claim, Claim]
    expect(await records.settle(a, succeeded(0.1 * USD), 11_000)).toBe('written')
    expect(await records.settle(b, succeeded(200_000_000_001), 11_000)).toBe('written')
    expect(await records.settle(c, succeeded(), 11_000)).toBe('written')
    expect(await records.settle(d, failed, 12_000)).toBe('ended')
    expect(await records.find('guest ada', made.id)).toMatchObject({
      state: 'completed',
      costUsd: 0.300000000001,
      unpriced: 1,
      startedAt: 10_000,
      endedAt: 12_000,
      counts: { total: 4, queued: 0, running: 0, succeeded: 3, failed: 1, cancelled: 0 },
    })
    const { entries } = await records.items(made.id, { limit: 9 })
    expect(entries[0]).toMatchObject({
      state: 'succeeded',
      response: answer({ costPicoUsd: 0.1 * USD }),
      attempts: 1,
    })
    expect(entries[3]).toMatchObject({ state: 'failed', fault: FAULT, endedAt: 12_000 })
    expect((await records.items(made.id, { limit: 9, state: 'failed' })).entries).toHaveLength(1)
  })

  it('cost exactly what their items cost, also where that is more than numbers hold', async () => {
    const made = job()
    await records.submit(made, items(3))
    for (const claimed of await claim(3)) await records.settle(claimed, succeeded(5_000 * USD + 1_000), 1)
    const found = await records.find('guest ada', made.id)
    expect(found?.costUsd).toBe(15_000.000_000_003)
  })

  it('cost no more than the records can hold: 9,223,372 dollars, where their items cost more', async () => {
    const made = job()
    await records.submit(made, items(3))
    for (const claimed of await claim(3)) await records.settle(claimed, succeeded(9e6 * USD), 1)
    expect(await records.find('guest ada', made.id)).toMatchObject({
      state: 'completed',
      costUsd: 9_223_372.036854776,
      counts: { succeeded: 3 },
    })
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5])(
    'count an item as unpriced where its cost is no amount: %d',
    async costPicoUsd => {
      const made = job()
      await records.submit(made, items(2))
      for (const claimed of await claim(2)) await records.settle(claimed, succeeded(costPicoUsd), 1)
      const found = await records.find('guest ada', made.id)
      expect(found).toMatchObject({ state: 'completed', costUsd: 0, unpriced: 2 })
    },
  )

  it('have failed where all of their items have', async () => {
    const made = job()
    await records.submit(made, items(1))
    await records.settle(await only(), failed, 1)
    expect(await stateOf(made.id)).toMatchObject({ state: 'failed' })
  })

  it('take nothing from a runner whose lease has passed to another', async () => {
    const made = job()
    await records.submit(made, items(1))
    const late = await only()
    expect(await claim(1, 10_000 + LEASE_MS)).toEqual([])
    const next = await only(1, 10_001 + LEASE_MS)
    expect(late.lostRuns).toBe(0)
    expect(next).toMatchObject({ index: 0, attempt: 2, lostRuns: 1, failures: 0, startedAt: 10_000 })
    expect(next.fence).toBeGreaterThan(late.fence)
    expect(await records.renew([late, next], { now: 40_000, leaseMs: LEASE_MS })).toMatchObject([
      { fence: next.fence, leaseUntil: 60_000 },
    ])
    expect(await records.settle(late, succeeded(1 * USD), 1)).toBe('lost')
    expect(await records.settle(next, succeeded(2 * USD), 1)).toBe('ended')
    expect(await records.settle(next, succeeded(2 * USD), 1)).toBe('lost')
    expect(await records.find('guest ada', made.id)).toMatchObject({ costUsd: 2, counts: { succeeded: 1 } })
  })

  it('try an item again when its time has come, and count what failed', async () => {
    const made = job()
    await records.submit(made, items(1))
    await records.settle(
      await only(),
      { state: 'again', notBefore: 50_000, countsAs: 'failure', fault: FAULT },
      1,
    )
    expect(await stateOf(made.id)).toMatchObject({ state: 'running', queued: 1, running: 0 })
    expect(await records.nextDueAt()).toBe(50_000)
    expect(await claim(1, 49_999)).toEqual([])
    const again = await only(1, 50_000)
    expect(again).toMatchObject({ attempt: 2, lostRuns: 0, failures: 1 })
    expect(await records.nextDueAt()).toBe(50_000 + LEASE_MS)
    await records.settle(again, { state: 'again', notBefore: 0, countsAs: 'attempt', fault: FAULT }, 1)
    expect(await only(1, 60_000)).toMatchObject({ attempt: 3, failures: 1 })
  })

  it('take the beginning back of an item for which no provider could be asked', async () => {
    const made = job()
    await records.submit(made, items(1))
    const refused: Outcome = { state: 'again', notBefore: 0, countsAs: 'nothing', fault: FAULT }
    const itemOf = async () => (await records.items(made.id, { limit: 1 })).entries[0]
    await records.settle(await only(1, 10_000), refused, 1)
    expect(await itemOf()).toMatchObject({ state: 'queued', attempts: 0, fault: FAULT })
    expect(await itemOf()).not.toHaveProperty('startedAt')
    const begun = await only(1, 20_000)
    expect(begun).toMatchObject({ attempt: 1, failures: 0, startedAt: 20_000, claimedAt: 20_000 })
    await records.settle(begun, { ...refused, countsAs: 'attempt' }, 1)
    const again = await only(1, 30_000)
    expect(again).toMatchObject({ attempt: 2, startedAt: 20_000, claimedAt: 30_000 })
    expect(again.fence).toBeGreaterThan(begun.fence)
    await records.settle(again, refused, 1)
    expect(await itemOf()).toMatchObject({ attempts: 1, startedAt: 20_000 })
  })

  it('bring to an end what was begun before they begin anything else', async () => {
    await records.submit(job(), items(4))
    for (const [outcome, at] of [
      [{ state: 'again', notBefore: 12_000, countsAs: 'attempt', fault: FAULT }, 10_000],
      [{ state: 'again', notBefore: 11_000, countsAs: 'nothing', fault: FAULT }, 10_001],
    ] satisfies [Outcome, number][])
      await records.settle(await only(1, at), outcome, at)
    expect((await claim(2, 11_999)).map(({ index }) => index)).toEqual([2, 3])
    expect((await claim(2, 12_000)).map(({ index }) => index)).toEqual([0, 1])
  })

  it('are passed over by a worker that wants others', async () => {
    const [first, second] = [job(), job({ createdAt: 1_001 })]
    for (const one of [first, second]) await records.submit(one, items(1))
    expect(await records.nextDueAt([first.id])).toBe(0)
    expect(await records.nextDueAt([first.id, second.id])).toBeUndefined()
    const passing = (except: readonly string[]) =>
      records.claim({ count: 9, now: 10_000, leaseMs: LEASE_MS, except })
    expect(await passing([first.id, second.id])).toEqual([])
    expect((await passing([first.id])).map(({ jobId }) => jobId)).toEqual([second.id])
  })

  it('come by priority, but not after a job that has waited ten minutes longer for each step', async () => {
    const step = 600_000
    const made = [
      job({ name: 'old and low', priority: 'low', createdAt: 1 }),
      job({ name: 'normal', createdAt: 2 * step }),
      job({ name: 'high', priority: 'high', createdAt: 2 * step + 5 }),
      job({ name: 'new and low', priority: 'low', createdAt: 2 * step + 1 }),
    ]
    for (const one of made) await records.submit(one, items(1))
    const order: string[] = []
    for (const { jobId } of await claim(9, 9 * step))
      order.push((await records.find('guest ada', jobId))?.name ?? '')
    expect(order).toEqual(['old and low', 'high', 'normal', 'new and low'])
  })

  it('can change their priority while something of them waits', async () => {
    const [first, second] = [job(), job({ createdAt: 1_001 })]
    await records.submit(first, items(1))
    await records.submit(second, items(2))
    expect(await records.prioritise('guest eve', second.id, 'high')).toBe(false)
    expect(await records.prioritise('guest ada', second.id, 'high')).toBe(true)
    expect((await claim(9)).map(({ jobId }) => jobId)).toEqual([second.id, second.id, first.id])
    expect(await records.prioritise('guest ada', second.id, 'low')).toBe(false)
  })

  it('wait for the time they are scheduled for', async () => {
    const made = job({ scheduledFor: 90_000 })
    await records.submit(made, items(1))
    expect(await records.nextDueAt()).toBe(90_000)
    expect(await claim(1, 89_999)).toEqual([])
    expect((await records.depth(89_999)).oldestAt).toBeUndefined()
    expect((await records.depth(95_000)).oldestAt).toBe(90_000)
    expect(await claim(1, 90_000)).toHaveLength(1)
  })

  it('end when they are cancelled: what runs changes nothing any more', async () => {
    const made = job()
    await records.submit(made, items(3))
    const [done, running] = (await claim(2)) as [Claim, Claim]
    await records.settle(done, succeeded(1 * USD), 1)
    expect(await records.cancel('guest eve', made.id, 20_000)).toBe(false)
    expect(await records.cancel('guest ada', made.id, 20_000)).toBe(true)
    expect(await records.cancel('guest ada', made.id, 20_000)).toBe(false)
    expect(await records.renew([running], { now: 1, leaseMs: 1 })).toEqual([])
    expect(await records.settle(running, succeeded(1 * USD), 1)).toBe('lost')
    expect(await claim(9, 99_999_999)).toEqual([])
    expect(await stateOf(made.id)).toEqual({
      state: 'cancelled',
      total: 3,
      queued: 0,
      running: 0,
      succeeded: 1,
      failed: 0,
      cancelled: 2,
    })
    const states = (await records.items(made.id, { limit: 9 })).entries.map(({ state }) => state)
    expect(states).toEqual(['succeeded', 'cancelled', 'cancelled'])
    expect((await records.items(made.id, { limit: 9, state: 'cancelled' })).entries).toHaveLength(2)
    expect((await records.items(made.id, { limit: 9, state: 'queued' })).entries).toHaveLength(0)
    expect(await records.retryFailed('guest ada', made.id, 1)).toBe(0)
  })

  it('run their failed items again, and only those', async () => {
    const made = job()
    await records.submit(made, items(3))
    const [a, b, c] = (await claim(3)) as [Claim, Claim, Claim]
    await records.settle(a, succeeded(1 * USD), 1)
    await records.settle(b, failed, 1)
    expect(await records.retryFailed('guest ada', made.id, 1)).toBe(0)
    await records.settle(c, failed, 1)
    expect(await records.retryFailed('guest eve', made.id, 1)).toBe(0)
    expect(await records.retryFailed('guest ada', made.id, 1)).toBe(2)
    expect(await stateOf(made.id)).toMatchObject({ state: 'running', queued: 2, failed: 0, succeeded: 1 })
    const again = await claim(9)
    expect(again.map(({ index, failures }) => [index, failures])).toEqual([
      [1, 0],
      [2, 0],
    ])
    for (const claimed of again) await records.settle(claimed, succeeded(1 * USD), 2)
    expect(await records.find('guest ada', made.id)).toMatchObject({ state: 'completed', costUsd: 3 })
  })

  it('leave the time between their end and a retry out of the time that they took', async () => {
    const made = job()
    await records.submit(made, items(2))
    const [a, b] = (await claim(2)) as [Claim, Claim]
    await records.settle(a, succeeded(1 * USD), 2_000)
    await records.settle(b, failed, 3_000)
    await records.retryFailed('guest ada', made.id, 10_000)
    expect(await records.find('guest ada', made.id)).toMatchObject({ idleMs: 7_000 })
  })

  it('know why they do not progress: a schedule, no worker, other jobs, or their model', async () => {
    const waitOf = async (id: string, now: number) => {
      const found = await records.find('guest ada', id)
      return found && (await records.withWaits([found], now))[0]?.wait
    }
    const later = job({ scheduledFor: 90_000 })
    await records.submit(later, items(1))
    expect(await waitOf(later.id, 10_000)).toEqual({ reason: 'schedule', until: 90_000 })
    const made = job()
    await records.submit(made, items(2))
    expect(await waitOf(made.id, 10_000)).toEqual({ reason: 'worker' })
    await records.heartbeat('worker', 10_000)
    expect(await waitOf(made.id, 10_000)).toEqual({ reason: 'queue' })

    const [a, b] = (await claim(2)) as [Claim, Claim]
    expect(await waitOf(made.id, 10_000)).toBeUndefined()
    const fault = { code: 'MODEL_UNAVAILABLE', message: 'The model rests.', retryable: true } as const
    for (const [claimed, notBefore] of [
      [a, 20_000],
      [b, 30_000],
    ] as const)
      await records.settle(claimed, { state: 'again', notBefore, countsAs: 'nothing', fault }, 10_000)
    expect(await waitOf(made.id, 10_000)).toMatchObject({ reason: 'model', fault, until: 30_000 })
    expect(await waitOf(made.id, 30_000)).not.toHaveProperty('until')
    expect(await waitOf(made.id, 99_000)).toEqual({ reason: 'worker' })
    await records.cancel('guest ada', made.id, 40_000)
    expect(await waitOf(made.id, 30_000)).toBeUndefined()
  })

  it('show one item with the messages that are sent for it, the instruction included', async () => {
    const made = job({ instruction: 'Be kind' })
    const [one] = items(1) as [NewItem]
    await records.submit(made, [{ ...one, id: 'a', instructed: true }])
    expect(await records.item(made.id, 0)).toMatchObject({
      id: 'a',
      state: 'queued',
      messages: [{ role: 'user', content: 'Be kind\n\nQuestion 0' }],
    })
    expect(await records.item(made.id, 1)).toBeUndefined()
  })

  it('are listed newest first, page by page, to their owner', async () => {
    const owner = 'guest lister'
    const made = [5, 7, 7, 6].map(createdAt => job({ owner, createdAt }))
    for (const one of made) await records.submit(one, items(1))
    const [a, b, c, d] = made as [NewJob, NewJob, NewJob, NewJob]
    const first = await records.list(owner, { limit: 2 })
    expect(first.entries.map(({ id }) => id)).toEqual([c.id, b.id])
    const second = await records.list(owner, { limit: 2, cursor: first.cursor ?? '' })
    expect(second.entries.map(({ id }) => id)).toEqual([d.id, a.id])
    expect(second.cursor).toBeUndefined()
    for (const cursor of ['', 'x', '-1', Buffer.from("1' or 1=1").toString('base64url')])
      await expect(records.list(owner, { limit: 2, cursor })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await records.submit(job({ owner, createdAt: Date.now() }), items(2))
    const { cursor: ofJobs = '', entries } = await records.list(owner, { limit: 1 })
    const { id } = entries[0] as Job
    const { cursor: ofItems = '' } = await records.items(id, { limit: 1 })
    const tooFar = Buffer.from(`${2 ** 31}`).toString('base64url')
    await expect(records.list(owner, { limit: 1, cursor: ofItems })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
    for (const cursor of [ofJobs, tooFar])
      await expect(records.items(id, { limit: 1, cursor })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('go with all their items, once they have ended', async () => {
    const made = job()
    await records.submit(made, items(2_500))
    expect(await records.remove('guest ada', made.id)).toBe(false)
    await records.cancel('guest ada', made.id, 70_000)
    expect(await records.remove('guest eve', made.id)).toBe(false)
    expect(await records.remove('guest ada', made.id)).toBe(true)
    expect(await records.find('guest ada', made.id)).toBeUndefined()
    await records.sweep(0)
    const kept = job()
    await records.submit(kept, items(1))
    await records.settle(await only(), failed, 80_000)
    await records.removeEnded(80_000)
    expect(await records.find('guest ada', kept.id)).toBeDefined()
    await records.removeEnded(80_001)
    expect(await records.find('guest ada', kept.id)).toBeUndefined()
  })

  it('are sent to their webhooks once, however many ask, and again after a failure', async () => {
    const made = job({ webhookUrl: 'https://example.com/hook' })
    await records.submit(made, items(1))
    const claimDue = (now: number, leaseUntil = 999_999) => records.claimWebhook({ now, leaseUntil })
    expect(await claimDue(999_999)).toBeUndefined()
    await records.settle(await only(), succeeded(1 * USD), 20_000)
    const due = await Promise.all([1, 2, 3].map(() => claimDue(20_000, 30_000)))
    expect(due.filter(one => one !== undefined)).toMatchObject([
      { attempt: 1, url: 'https://example.com/hook', job: { id: made.id, state: 'completed' } },
    ])
    const first = due.find(one => one !== undefined) as WebhookDue
    await records.settleWebhook(first, { again: 25_000 })
    expect(await claimDue(24_999)).toBeUndefined()
    const second = (await claimDue(25_000, 50_000)) as WebhookDue
    expect(second).toMatchObject({ attempt: 2 })
    const third = (await claimDue(50_000, 60_000)) as WebhookDue
    expect(third).toMatchObject({ attempt: 3 })
    await records.settleWebhook(second, { state: 'failed' })
    expect(await claimDue(60_000, 70_000)).toMatchObject({ attempt: 4 })
    await records.settleWebhook({ ...third, attempt: 4 }, { state: 'sent' })
    expect(await claimDue(999_999)).toBeUndefined()
  })

  it('are sent once more when they end once more, whatever comes late of the first delivery', async () => {
    const made = job({ webhookUrl: 'https://example.com/hook' })
    await records.submit(made, items(2))
    const end = async (at: number) => {
      for (const claimed of await claim(2, at)) await records.settle(claimed, failed, at)
    }
    await end(20_000)
    const first = (await records.claimWebhook({ now: 20_000, leaseUntil: 50_000 })) as WebhookDue
    await records.retryFailed('guest ada', made.id, 1)
    await end(30_000)
    for (const outcome of [{ state: 'sent' }, { state: 'failed' }, { again: 900_000 }] as const)
      await records.settleWebhook(first, outcome)
    const second = (await records.claimWebhook({ now: 30_000, leaseUntil: 60_000 })) as WebhookDue
    expect(second).toMatchObject({ attempt: 1, job: { endedAt: 30_000 } })
    await records.settleWebhook(second, { again: 61_000 })
    await records.retryFailed('guest ada', made.id, 1)
    await records.cancel('guest ada', made.id, 40_000)
    expect(await records.claimWebhook({ now: 40_000, leaseUntil: 70_000 })).toMatchObject({
      attempt: 1,
      job: { state: 'cancelled' },
    })
  })

  it('are sent in the order of their ends, those of some owners passed over', async () => {
    for (const [owner, at] of [
      ['guest ada', 30_000],
      ['guest eve', 20_000],
      ['guest eve', 10_000],
    ] as const) {
      await records.submit(job({ owner, webhookUrl: 'https://example.com/hook' }), items(1))
      await records.settle(await only(), succeeded(1 * USD), at)
    }
    const next = async (except: string[] = []) =>
      (await records.claimWebhook({ now: 40_000, leaseUntil: 50_000, except }))?.job.endedAt
    expect([await next(), await next(['guest eve']), await next(['guest eve', 'guest ada'])]).toEqual([
      10_000,
      30_000,
      undefined,
    ])
    expect([await next(), await next()]).toEqual([20_000, undefined])
  })

  it('never give an item to two who ask at the same moment', async () => {
    const others = [records, await openAt(location), await openAt(location)]
    const made = [job(), job()]
    for (const one of made) await records.submit(one, items(60))
    const taken: string[] = []
    const take = async (from: BatchRecords) => {
      for (;;) {
        const claims = await from.claim({ count: 3, now: 10_000, leaseMs: LEASE_MS })
        if (claims.length === 0) return
        taken.push(...claims.map(({ jobId, index }) => `${jobId} ${index}`))
        for (const claimed of claims)
          expect(await from.settle(claimed, succeeded(0.25 * USD), 1)).not.toBe('lost')
      }
    }
    await Promise.all([...others, ...others].map(take))
    expect(taken).toHaveLength(120)
    expect(new Set(taken).size).toBe(120)
    for (const { id } of made)
      expect(await records.find('guest ada', id)).toMatchObject({ state: 'completed', costUsd: 15 })
  })

  it('tell how full the queue is', async () => {
    const before = await records.depth(10_000)
    await records.submit(job({ priority: 'low', createdAt: 7 }), items(2))
    await records.submit(job({ priority: 'high', createdAt: 9 }), items(3))
    await claim(1)
    const depth = await records.depth(10_000)
    expect(depth).toMatchObject({ queued: { high: 2, normal: 0, low: 2 }, running: 1, failed: before.failed })
    expect(depth.oldestAt).toBe(7)
  })

  it('know who works, by signs of life', async () => {
    const workers = async (now: number) => (await records.depth(now)).workers
    expect(await workers(1_000)).toBe(0)
    await records.heartbeat('one', 1_000)
    await records.heartbeat('two', 11_000)
    await records.heartbeat('two', 21_000)
    expect(await workers(31_000)).toBe(2)
    expect(await workers(31_001)).toBe(1)
    await records.heartbeat('three', 60_000)
    expect(await workers(60_000)).toBe(1)
  })

  it('keep their counts right whatever happens to them in whatever order', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('claim' as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({
        do: fc.constant('settle' as const),
        which: fc.nat(20),
        how: fc.constantFrom('succeeded' as const, 'failed' as const, 'again' as const),
      }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, LEASE_MS / 2, LEASE_MS * 2) }),
      fc.record({ do: fc.constantFrom('cancel' as const, 'retry' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
        await finishAll()
        const made = job()
        await records.submit(made, items(5))
        const model = Array.from({ length: 5 }, () => ({ state: 'queued' as ItemState, fence: 0, until: 0 }))
        const claims: Claim[] = []
        let now = 10_000
        let cost = 0
        let isCancelled = false
        const isOver = () =>
          isCancelled || model.every(({ state }) => state === 'succeeded' || state === 'failed')
        for (const one of steps) {
          if (one.do === 'pass') now += one.ms
          else if (one.do === 'claim')
            for (const claimed of await records.claim({ count: one.count, now, leaseMs: LEASE_MS })) {
              const item = model[claimed.index]
              expect(
                item && (item.state === 'queued' || (item.state === 'running' && item.until < now)),
              ).toBe(true)
              expect(isOver()).toBe(false)
              model[claimed.index] = { state: 'running', fence: claimed.fence, until: now + LEASE_MS }
              claims.push(claimed)
            }
          else if (one.do === 'settle') {
            const claimed = claims[one.which % Math.max(1, claims.length)]
            const item = claimed && model[claimed.index]
            if (!claimed || !item) continue
            const outcome: Outcome =
              one.how === 'again'
                ? { state: 'again', notBefore: now, countsAs: 'failure', fault: FAULT }
                : one.how === 'failed'
                  ? failed
                  : succeeded(1)
            const holds = !isOver() && item.state === 'running' && item.fence === claimed.fence
            expect((await records.settle(claimed, outcome, now)) !== 'lost').toBe(holds)
            if (!holds) continue
            item.state = one.how === 'again' ? 'queued' : one.how
            if (one.how === 'succeeded') cost += 1
          } else if (one.do === 'cancel') {
            expect(await records.cancel(made.owner, made.id, now)).toBe(!isOver())
            isCancelled ||= !isOver()
          } else {
            const failures = model.filter(({ state }) => state === 'failed').length
            const count = isOver() && !isCancelled ? failures : 0
            expect(await records.retryFailed(made.owner, made.id, 1)).toBe(count)
            if (count > 0) for (const item of model) if (item.state === 'failed') item.state = 'queued'
          }
          const found = await records.find(made.owner, made.id)
          const of = (state: ItemState) => model.filter(item => item.state === state).length
          const left = of('queued') + of('running')
          expect(found?.counts).toEqual({
            total: 5,
            queued: isCancelled ? 0 : of('queued'),
            running: isCancelled ? 0 : of('running'),
            succeeded: of('succeeded'),
            failed: of('failed'),
            cancelled: isCancelled ? left : 0,
          })
          expect(found?.costUsd).toBe(cost / 1e12)
        }
      }),
      { numRuns: kind === 'SQLite' ? 200 : 40 },
    )
  })
})
