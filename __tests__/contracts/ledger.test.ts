import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import { keyRecords } from '#lib/auth/keys/records.ts'
import { ADMIN_ID, type Caller } from '#lib/caller.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { GatewayError } from '#lib/errors.ts'
import { ledgerSumsOf } from '#lib/gateway/ledger.ts'
import { Ledger } from '#lib/ledger/ledger.ts'
import { sweepLedger } from '#lib/ledger/maintenance.ts'
import { UsageService } from '#lib/ledger/service.ts'
import { LedgerWriter } from '#lib/ledger/writer.ts'
import type { Call, Usage } from '#lib/llm/types.ts'
import { type Attempt, beginAttempt, newJournal } from '#lib/request-context.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { newCall } from '../support/calls.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'
import { FakeClock } from '../support/fake-clock.ts'

const databases = newDatabases()

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A Wednesday at noon. */
const NOON = Date.UTC(2026, 10, 25, 12)
const ADA: Caller = {
  kind: 'key',
  id: 'k1',
  name: 'Ada’s laptop',
  owner: 'ada',
  role: 'member',
  address: '::1',
}
const ADA_AGAIN: Caller = { ...ADA, id: 'k2', name: 'Ada’s server' }
const BOB: Caller = { kind: 'guest', id: 'bob', address: '::1' }

type Made = Readonly<{ caller?: Caller; at?: number; model?: string; usages?: readonly Usage[]; id?: string }>

const priced = (picoUsd: number, tokens: Partial<Usage> = {}): Usage => ({
  inputTokens: 10,
  outputTokens: 5,
  costPicoUsd: picoUsd,
  priceVersion: '2026-11-27',
  ...tokens,
})

describe.each(DATABASES)('the ledger in %s', kind => {
  let records: Records
  let writer: LedgerWriter
  let ledger: Ledger
  let service: UsageService
  const lost: number[] = []

  const writerOver = (over: Records, clock: Clock = systemClock): LedgerWriter => {
    let ids = 0
    const prefix = crypto.randomUUID()
    const newId = () => `${prefix}.${++ids}`
    const made = new LedgerWriter({
      records: over,
      clock,
      onLost: rows => lost.push(rows),
    })
    ledger = new Ledger(made, newId)
    service = new UsageService({ records, ledger, clock: systemClock, keepMs: 90 * DAY })
    return made
  }

  beforeEach(async () => {
    lost.length = 0
    records = await databases.openNew(kind)
    writer = writerOver(records)
  })

  const callOf = ({ caller = ADA, at = NOON, id = 'request-1' }: Made): Call =>
    newCall({
      requestId: id,
      caller,
      startedAt: at,
      journal: { ...newJournal(), model: 'asked', identity: caller },
    })

  /** A request that was answered by its last attempt. */
  const answered = (made: Made = {}): void => {
    const { at = NOON, model = 'small', usages = [priced(1_500)] } = made
    const call = callOf(made)
    const target = { provider: 'fake', model, name: model }
    for (const [index, usage] of usages.entries()) {
      const isLast = index === usages.length - 1
      const attempt: Attempt = {
        number: index,
        target,
        startedAt: at,
        endedAt: at + 100,
        usage,
        outcome: isLast ? 'ok' : 'error',
      }
      call.journal.attempts.push(attempt)
    }
    call.journal.head = { id: 'chat_1', target, cache: 'miss' }
    call.journal.firstContentAt = at + 40
    for (const attempt of call.journal.attempts) ledger.attemptEnded(call, attempt)
    ledger.requestEnded('request', call, { outcome: 'ok', endedAt: at + 100, status: 200 }, usages.at(-1))
  }

  const count = async (table: string): Promise<number> => {
    const { rows } = await records.read(db =>
      sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(db),
    )
    return Number(rows[0]?.n)
  }
  const spentNano = async (): Promise<bigint> => {
    const { rows } = await records.read(db =>
      sql<{ n: string }>`select cast(sum(cost_nano) as text) as n from ledger_attempts`.execute(db),
    )
    return BigInt(rows[0]?.n ?? 0)
  }
  const period = { from: NOON - DAY, to: NOON + DAY }

  it('keeps one row for a request and one for each of its attempts, and each costs what it used', async () => {
    answered({ usages: [priced(1_000_000), priced(2_000_499)] })
    const { request, attempts } = await service.request('request-1', ADA)
    expect(attempts.map(({ cost_nano: cost }) => cost)).toEqual([1_000, 2_000])
    expect(request).toMatchObject({ cost_nano: 3_000, attempts: 2, owner: 'owner ada', key_id: 'k1' })
    expect(await count('ledger_requests')).toBe(1)
    expect(await count('ledger_attempts')).toBe(2)
  })

  it('rounds to nanodollars once for each attempt, half away from zero', async () => {
    answered({ usages: [priced(1_500), priced(1_499)] })
    expect((await service.request('request-1', ADA)).attempts.map(({ cost_nano }) => cost_nano)).toEqual([
      2, 1,
    ])
  })

  it('has null, never 0, for a price that is unknown', async () => {
    answered({ usages: [{ inputTokens: 10, outputTokens: 5 }] })
    const { request, attempts } = await service.request('request-1', ADA)
    expect([request.cost_nano, attempts[0]?.cost_nano]).toEqual([null, null])
    const { total } = await service.usage({ ...period, by: [] })
    expect(total).toMatchObject({ attempts: 1, unpriced: 1, costNano: 0n })
  })

  it('finds a request by its owner and id alone, the newest where clients chose the same', async () => {
    answered({ id: 'chosen', caller: ADA, at: NOON })
    answered({ id: 'chosen', caller: ADA_AGAIN, at: NOON + 1_000 })
    answered({ id: 'bobs', caller: BOB })
    expect((await service.request('chosen', ADA)).request.key_id).toBe('k2')
    await expect(service.request('bobs', ADA)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    for (const id of ['unknown', '\0', 'chosen\0'])
      await expect(service.request(id, ADA)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await service.request('bobs')).request.owner).toBe('guest bob')
  })

  it('lists requests newest first, page by page, each once', async () => {
    for (let n = 0; n < 7; n += 1) answered({ id: `r${n}`, at: NOON + Math.floor(n / 2) })
    answered({ id: 'bobs', caller: BOB })
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await service.requests({ limit: 3, cursor }, ADA)
      seen.push(...page.entries.map(({ request_id }) => request_id))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(seen.toSorted()).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6'])
    expect(seen[0]).toBe('r6')
    await expect(service.requests({ limit: 3, cursor: 'nonsense' }, ADA)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })

  it.each(['model', 'provider', 'key', 'owner', 'day', 'week', 'month'] as const)(
    'sums rows by %s to exactly the total and exactly the ledger',
    async by => {
      for (let n = 0; n < 200; n += 1)
        answered({
          id: `r${n}`,
          caller: [ADA, ADA_AGAIN, BOB][n % 3] as Caller,
          model: ['small', 'large'][n % 2] as string,
          at: NOON - (n % 40) * 7 * HOUR,
          usages: [priced(n * 1_237), priced(n * 991)],
        })
      await ledger.flush()
      const report = await service.usage({ from: NOON - 30 * DAY, to: NOON + DAY, by: [by] })
      const sum = report.rows.reduce((all, { costNano }) => all + costNano, 0n)
      expect(report.rows.length).toBeGreaterThan(0)
      expect(sum).toBe(report.total.costNano)
      expect(report.total.costNano).toBe(await spentNano())
      expect(report.rows.reduce((all, { requests }) => all + requests, 0)).toBe(200)
      expect(report.total.tokens.input).toBe(4_000)
    },
  )

  it('has as many rows as it gives, not as many as its days have: for each key by month and week', async () => {
    const at = Date.UTC(2026, 10, 1)
    await records.write(db =>
      sql`with recursive days (day) as (select 0 union all select day + 1 from days where day < 25),
        keys (key) as (select 0 union all select key + 1 from keys where key < 399)
        insert into ledger_rollups (span, start, owner, key_id, provider, model, requests, cost_nano)
        select ${sql.lit(DAY)}, ${sql.lit(at)} + cast(day as bigint) * ${sql.lit(DAY)}, '', 'k' || key, 'fake', 'small', 1, 1
        from days cross join keys`.execute(db),
    )
    const query = { from: at, to: at + 26 * DAY }
    const byMonth = await service.usage({ ...query, by: ['key', 'month'] })
    expect(byMonth.rows).toHaveLength(400)
    expect(byMonth.rows[0]).toMatchObject({
      of: { key: 'k0', month: '2026-11' },
      requests: 26,
      costNano: 26n,
    })
    expect(byMonth.total).toMatchObject({ requests: 10_400, costNano: 10_400n })
    // 1 November is a Sunday.
    const weeks = (await service.usage({ ...query, by: ['week', 'month'] })).rows
    expect(weeks.map(({ of, requests }) => [of.week, of.month, requests])).toEqual([
      ['2026-W44', '2026-11', 400],
      ['2026-W45', '2026-11', 2_800],
      ['2026-W46', '2026-11', 2_800],
      ['2026-W47', '2026-11', 2_800],
      ['2026-W48', '2026-11', 1_600],
    ])
    await expect(service.usage({ ...query, by: ['key', 'day'] })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })

  it('has the same sums for budgets: of each owner, each key and all, read one by one or at once', async () => {
    for (let n = 0; n < 60; n += 1)
      answered({
        id: `r${n}`,
        caller: [ADA, ADA_AGAIN, BOB][n % 3] as Caller,
        at: NOON - (n % 5) * DAY,
        usages: [priced(n * 1_237)],
      })
    const { ledgerSum, ledgerSums } = ledgerSumsOf(records, ledger, systemClock)
    const sumOf = await ledgerSums('2026-11-25')
    const scopes = ['all', 'owner:ada', 'owner:other', 'key:k1', 'key:k2'] as const
    for (const scope of scopes)
      for (const period of ['2026-11-25', '2026-11'])
        expect(sumOf(scope, period)).toBe(await ledgerSum(scope, period))
    expect(BigInt(sumOf('all', '2026-11'))).toBe(await spentNano())
    expect(sumOf('key:k1', '2026-11') + sumOf('key:k2', '2026-11')).toBe(sumOf('owner:ada', '2026-11'))
    expect(sumOf('owner:ada', '2026-11-25')).toBeGreaterThan(0)
    expect(sumOf('owner:other', '2026-11')).toBe(0)
  })

  it('sums for the budget of a key what the keys that it made have cost, and these', async () => {
    const stored = keyRecords(records)
    const add = (id: string, madeBy: string) => {
      const key = { id, name: id, role: 'member', prefix: '', madeBy, createdAt: NOON } as const
      return stored.add(key, { digest: id, prefix: '', createdAt: NOON }, async () => {})
    }
    await add('k1', ADMIN_ID)
    await add('k2', 'k1')
    await add('k3', 'k2')
    await add('k4', ADMIN_ID)
    const { ledgerSum, ledgerSums } = ledgerSumsOf(records, ledger, systemClock)
    ;['k1', 'k2', 'k3', 'k4'].forEach((id, at) => {
      answered({ id, caller: { ...ADA, id }, usages: [priced(10 ** at * 1_000)] })
    })
    const sumOf = await ledgerSums('2026-11-25')
    for (const period of ['2026-11-25', '2026-11'])
      for (const [scope, nano] of [
        ['key:k1', 111],
        ['key:k2', 110],
        ['key:k3', 100],
        ['key:k4', 1_000],
      ] as const) {
        expect(await ledgerSum(scope, period)).toBe(nano)
        expect(sumOf(scope, period)).toBe(nano)
      }
    expect(sumOf('all', '2026-11')).toBe(1_111)
  })

  it('reads for budgets the days that are over once a day, and the two that are not each time', async () => {
    const { ledgerSums } = ledgerSumsOf(records, ledger, systemClock)
    const monthBy = async (day: string) => (await ledgerSums(day))('key:k1', '2026-11')
    for (const daysAgo of [3, 1, 0]) answered({ at: NOON - daysAgo * DAY, usages: [priced(1e6)] })
    expect(await monthBy('2026-11-25')).toBe(3_000)
    await records.writeTogether(db => [db.deleteFrom('ledger_rollups').where('start', '<', NOON - 2 * DAY)])
    answered({ at: NOON - DAY, usages: [priced(1e6)] })
    answered({ usages: [priced(1e6)] })
    expect(await monthBy('2026-11-25')).toBe(5_000)
    expect(await monthBy('2026-11-26')).toBe(4_000)
  })

  it('gives each its own usage: ten keys of an owner together, and nothing of others', async () => {
    answered({ caller: ADA })
    answered({ caller: ADA_AGAIN, id: 'r2' })
    answered({ caller: BOB, id: 'r3' })
    const own = await service.ownUsage(ADA, { ...period, by: ['key'] })
    expect(own.rows.map(({ of }) => of)).toEqual([
      { key: 'k1', keyName: 'Ada’s laptop' },
      { key: 'k2', keyName: 'Ada’s server' },
    ])
    expect(own.total.requests).toBe(2)
  })

  it('names a key as it is called now, and one that is not stored as it was called last', async () => {
    const key = {
      id: 'k3',
      name: 'New',
      role: 'member',
      prefix: 'p',
      madeBy: ADMIN_ID,
      createdAt: NOON,
    } as const
    await keyRecords(records).add(key, { digest: 'd', prefix: 'p', createdAt: NOON }, async () => {})
    for (const [index, name] of ['Zoë', 'Abe'].entries()) {
      const at = NOON + index * HOUR
      answered({ caller: { ...ADA, id: 'k3', name }, at, id: `stored-${index}` })
      answered({ caller: { ...ADA, id: 'k4', name }, at, id: `other-${index}` })
    }
    await writer.flush()
    const { rows } = await service.usage({ from: NOON - DAY, to: NOON + DAY, by: ['key'] })
    expect(rows.map(({ of }) => of)).toEqual([
      { key: 'k3', keyName: 'New' },
      { key: 'k4', keyName: 'Abe' },
    ])
  })

  it('counts by the hour at the edges of a period', async () => {
    for (const hours of [0, 1, 2, 30, 54]) answered({ id: `h${hours}`, at: NOON + hours * HOUR })
    const requestsIn = async (from: number, to: number) =>
      (await service.usage({ from, to, by: [] })).total.requests
    expect(await requestsIn(NOON, NOON + HOUR)).toBe(1)
    expect(await requestsIn(NOON + HOUR, NOON + 31 * HOUR)).toBe(3)
    expect(await requestsIn(NOON, NOON + 55 * HOUR)).toBe(5)
    expect(await requestsIn(NOON, NOON)).toBe(0)
  })

  it('counts a cache hit as free, and what it saved', async () => {
    const call = callOf({})
    call.journal.head = { id: 'chat_1', target: { provider: 'fake', model: 'm', name: 'm' }, cache: 'hit' }
    const usage: Usage = { inputTokens: 10, outputTokens: 5, costPicoUsd: 0, savedPicoUsd: 7_000_000 }
    ledger.requestEnded('request', call, { outcome: 'ok', endedAt: NOON + 1, status: 200 }, usage)
    const { total } = await service.usage({ ...period, by: [] })
    expect(total).toMatchObject({ requests: 1, cacheHits: 1, costNano: 0n, savedNano: 7_000n, attempts: 0 })
  })

  it('writes a request only when its attempts have ended, whichever ends first', async () => {
    const call = callOf({})
    const target = { provider: 'fake', model: 'm', name: 'm' }
    const attempt = beginAttempt(call, target, NOON)
    ledger.requestEnded('request', call, { outcome: 'aborted', endedAt: NOON + 1, status: 499 }, undefined)
    await ledger.flush()
    expect(await count('ledger_requests')).toBe(0)
    Object.assign(attempt, { outcome: 'ok', usage: priced(5_000), endedAt: NOON + 2 })
    ledger.attemptEnded(call, attempt)
    expect((await service.request('request-1', ADA)).request).toMatchObject({
      cost_nano: 5,
      outcome: 'aborted',
    })
  })

  it('charges a group once that is repeated because its outcome was unknown', async () => {
    let failures = 0
    const forgetful = new Proxy(records, {
      get(target, name) {
        if (name !== 'writeTogether') return Reflect.get(target, name)
        return async (...args: Parameters<Records['writeTogether']>) => {
          const result = await target.writeTogether(...args)
          if (failures++ < 2) throw new GatewayError('STORE_UNAVAILABLE')
          return result
        }
      },
    })
    writer = writerOver(forgetful)
    answered({ usages: [priced(9_000)] })
    await writer.close()
    // Twice it was said to have failed, once to have matched nothing.
    answered({ id: 'r2', usages: [priced(1_000)] })
    await writer.flush()
    expect(failures).toBeGreaterThanOrEqual(1)
    const { total } = await service.usage({ ...period, by: [] })
    expect(total.costNano).toBe(await spentNano())
    expect(total.requests).toBe(await count('ledger_requests'))
  })

  it('adds a row once to the sums too, however often and in whatever company its id is written', async () => {
    const call = callOf({})
    const target = { provider: 'fake', model: 'small', name: 'small' }
    const attempt = beginAttempt(call, target, NOON)
    Object.assign(attempt, { endedAt: NOON + 1, usage: priced(5e6), outcome: 'ok' })
    const end = (): void => {
      ledger.attemptEnded(call, attempt)
      ledger.requestEnded('request', call, { outcome: 'ok', endedAt: NOON + 1, status: 200 }, undefined)
    }
    end()
    end()
    await ledger.flush()
    end()
    answered({ id: 'another', usages: [priced(1e6)] })
    await ledger.flush()
    end()
    const { total } = await service.usage({ ...period, by: [] })
    expect(total).toMatchObject({ requests: 2, attempts: 2, costNano: 6_000n })
    expect([await count('ledger_attempts'), await count('ledger_requests')]).toEqual([2, 2])
    expect(lost).toEqual([])
  })

  it('writes rows 50 ms after the first of them, without being asked', async () => {
    const clock = new FakeClock()
    writer = writerOver(records, clock)
    answered()
    await clock.advance(49)
    expect(await count('ledger_requests')).toBe(0)
    answered({ id: 'r2' })
    await clock.advance(1)
    await expect.poll(() => count('ledger_requests')).toBe(2)
  })

  it('keeps rows while the database is away, and loses none', async () => {
    let isAway = true
    const flapping = new Proxy(records, {
      get(target, name) {
        if (name !== 'writeTogether') return Reflect.get(target, name)
        return (...args: Parameters<Records['writeTogether']>) =>
          isAway ? Promise.reject(new GatewayError('STORE_UNAVAILABLE')) : target.writeTogether(...args)
      },
    })
    writer = writerOver(flapping)
    for (let n = 0; n < 50; n += 1) answered({ id: `r${n}` })
    const written = writer.flush()
    isAway = false
    await written
    await writer.flush()
    expect(await count('ledger_requests')).toBe(50)
    expect(lost).toEqual([])
  })

  it('stores texts of clients that a database refuses: NUL, half characters, 10,000 letters', async () => {
    answered({ id: `odd\0${'x'.repeat(10_000)}`, model: 'a\ud800b\0' })
    const { entries } = await service.requests({ limit: 10 }, ADA)
    expect(entries).toHaveLength(1)
    expect(entries[0]?.model).toBe('a\ufffdb')
    expect(lost).toEqual([])
  })

  describe('sweeps what is older than it is kept', () => {
    const now = systemClock.now()
    const sweep = () => sweepLedger({ records, clock: systemClock, keepMs: 90 * DAY, onError: () => {} })
    const totalOf = async (from: number, to: number) => (await service.usage({ from, to, by: [] })).total

    it('rows of requests and attempts, and keeps their sums', async () => {
      for (let n = 0; n < 5; n += 1) answered({ id: `old${n}`, at: now - 91 * DAY })
      answered({ id: 'new', at: now - 89 * DAY })
      await ledger.flush()
      await sweep()
      expect(await count('ledger_requests')).toBe(1)
      expect(await count('ledger_attempts')).toBe(1)
      expect(await totalOf(now - 100 * DAY, now)).toMatchObject({ requests: 6, costNano: 12n })
    })

    it('addresses and guests, of whom one sum a day and model is left, once over three processes', async () => {
      const visitor = (n: number): Caller =>
        n % 2 === 0 ? { kind: 'anonymous', address: `2001:db8::${n}` } : { ...BOB, id: `guest-${n}` }
      for (let n = 0; n < 1_200; n += 1)
        answered({
          id: `v${n}`,
          caller: visitor(n),
          at: now - (95 + (n % 2)) * DAY,
          usages: [priced(n * 1e3)],
        })
      answered({ caller: ADA, at: now - 95 * DAY })
      answered({ caller: visitor(0), at: now - 80 * DAY })
      await ledger.flush()
      const before = await totalOf(now - 100 * DAY, now)
      for (let turn = 0; turn < 2; turn += 1) await Promise.all([sweep(), sweep(), sweep()])
      expect(await totalOf(now - 100 * DAY, now)).toEqual(before)
      const { rows } = await service.usage({ from: now - 100 * DAY, to: now, by: ['owner', 'key'] })
      expect(rows.map(({ of, requests }) => [of.owner, of.key, requests])).toEqual([
        ['', '', 1_200],
        ['address 2001:db8::0', '', 1],
        ['owner ada', 'k1', 1],
      ])
      // Two days of visitors, one of Ada's key; then those that are young enough, by day and by hour.
      expect(await count('ledger_rollups')).toBe(5)
    })

    it('sums by hour: what is asked of that time is answered in whole days', async () => {
      const midnight = Math.floor(now / DAY) * DAY - 100 * DAY
      for (const hour of [1, 13, 23]) answered({ id: `h${hour}`, at: midnight + hour * HOUR })
      await ledger.flush()
      await sweep()
      const asked = { from: midnight + 12 * HOUR, to: midnight + 14 * HOUR, by: [] }
      const { from, to, total } = await service.usage(asked)
      expect([from, to, total.requests]).toEqual([midnight, midnight + DAY, 3])
    })
  })

  it('tells latencies and times to the first token', async () => {
    for (let n = 0; n < 20; n += 1) answered({ id: `r${n}` })
    const { total } = await service.usage({ ...period, by: [] })
    expect(total.latencyMs).toEqual({ p50: 100, p95: 100, p99: 100 })
    expect(total.firstTokenMs).toEqual({ p50: 40, p95: 40, p99: 40 })
  })
})
