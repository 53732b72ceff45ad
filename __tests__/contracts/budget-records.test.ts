import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { type BudgetNotice, Budgets } from '#lib/budgets/budgets.ts'
import { HoldRecords } from '#lib/budgets/hold-records.ts'
import { LimitRecords } from '#lib/budgets/limit-records.ts'
import { Limits } from '#lib/budgets/limits.ts'
import { Reconciler } from '#lib/budgets/reconcile.ts'
import { refusalError } from '#lib/budgets/refusal.ts'
import type { Hold, LedgerSum, Limit, Refusal } from '#lib/budgets/types.ts'
import type { Caller } from '#lib/caller.ts'
import { GatewayError } from '#lib/errors.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { seededRandom } from '../support/seeded-random.ts'

const databases = newDatabases()

const NOON = Date.UTC(2026, 10, 29, 12)
const MIDNIGHT = Date.UTC(2026, 10, 30)
const DAY = '2026-11-29'
const MONTH = '2026-11'
const KEY: Limit = { scope: 'key:ada', dayNanoUsd: 1_000, monthNanoUsd: 5_000 }
const OWNER: Limit = { scope: 'owner:acme', dayNanoUsd: 1_500 }
const ALL: Limit = { scope: 'all', monthNanoUsd: 100_000 }

describe.each(DATABASES)('budgets in %s', kind => {
  let records: Records
  let holds: HoldRecords
  let clock: FakeClock
  let notices: BudgetNotice[]
  let errors: unknown[]
  let ledgerSum: LedgerSum

  const newBudgets = (process = 'one', through = holds): Budgets =>
    new Budgets({
      records: through,
      ledgerSum: (...asked) => ledgerSum(...asked),
      clock,
      process,
      newId: randomUUID,
      noticeAt: 0.8,
      onNotice: notice => notices.push(notice),
      onTakenBack: () => {},
      onError: error => errors.push(error),
    })

  beforeEach(async () => {
    records = await databases.openNew(kind)
    holds = new HoldRecords(records)
    clock = new FakeClock(NOON)
    notices = []
    errors = []
    ledgerSum = async () => 0
  })

  type Operation = 'reserve' | 'settle'
  /** Holds in a database that is away for some operations. */
  const holdsWithout = (...operations: readonly Operation[]) => {
    const failing = new HoldRecords(records)
    const away = new Set(operations)
    const unlessAway =
      <Args extends unknown[], T>(name: Operation, operate: (...args: Args) => Promise<T>) =>
      (...args: Args): Promise<T> =>
        away.has(name) ? Promise.reject(new GatewayError('STORE_UNAVAILABLE')) : operate(...args)
    failing.reserve = unlessAway('reserve', failing.reserve.bind(failing))
    failing.settle = unlessAway('settle', failing.settle.bind(failing))
    return { failing, away }
  }

  const counter = async (scope: Limit['scope'], period: string) => {
    const found = (await holds.counters([scope], period.length > 7 ? period : DAY)).find(
      one => one.period === period,
    )
    return [found?.spent, found?.reserved]
  }
  const heldBy = async (budgets: Budgets, limits: readonly Limit[], amount: number): Promise<Hold> => {
    const done = await budgets.reserve(limits, amount)
    if ('refusal' in done) throw new Error(`refused: ${done.refusal.kind}`)
    return done.hold
  }

  it('reserve in every scope and period at once, and settle what was really spent', async () => {
    const budgets = newBudgets()
    const hold = await heldBy(budgets, [KEY, OWNER, ALL], 400)
    for (const { scope } of [KEY, OWNER, ALL]) expect(await counter(scope, DAY)).toEqual([0, 400])
    await budgets.settle(hold, 150)
    for (const { scope } of [KEY, OWNER, ALL]) {
      expect(await counter(scope, DAY)).toEqual([150, 0])
      expect(await counter(scope, MONTH)).toEqual([150, 0])
    }
    expect(budgets.openHolds).toBe(0)
  })

  it('reserve in no scope where one of them has too little', async () => {
    const budgets = newBudgets()
    await heldBy(budgets, [OWNER], 1_200)
    const refused = await budgets.reserve([KEY, OWNER, ALL], 400)
    expect(refused).toMatchObject({ refusal: { kind: 'reserved', scope: 'owner:acme', leftNanoUsd: 300 } })
    expect(await counter('key:ada', DAY)).toEqual([0, 0])
    expect(await counter('all', MONTH)).toEqual([0, 0])
  })

  it('tell what is spent from what is only reserved, and name the period that lasts longest', async () => {
    const budgets = newBudgets()
    await budgets.settle(await heldBy(budgets, [KEY], 900), 900)
    const open = await heldBy(budgets, [KEY], 100)
    expect(await budgets.reserve([KEY], 100)).toMatchObject({ refusal: { kind: 'reserved' } })
    expect(await budgets.reserve([KEY], 101)).toMatchObject({ refusal: { kind: 'spent', period: DAY } })
    await budgets.settle(open, 0)
    expect(await budgets.reserve([KEY], 100)).toHaveProperty('hold')
    const monthly = { ...KEY, monthNanoUsd: 900 }
    expect(await budgets.reserve([monthly], 101)).toMatchObject({
      refusal: { kind: 'spent', period: MONTH },
    })
  })

  it('refuse an amount above the limit at the first call of a period already', async () => {
    expect(await newBudgets().reserve([KEY], 1_001)).toMatchObject({ refusal: { kind: 'spent' } })
    expect(await counter('key:ada', DAY)).toEqual([0, 0])
  })

  it('settle once, however often and from wherever it is called', async () => {
    const budgets = newBudgets()
    const hold = await heldBy(budgets, [KEY], 400)
    await Promise.all([budgets.settle(hold, 100), budgets.settle(hold, 100), budgets.settle(hold, 0)])
    const again = await Promise.all([holds.settle(hold, 100), holds.settle(hold, 50)])
    expect(again.map(({ result }) => result)).toEqual(['none', 'none'])
    expect(await counter('key:ada', DAY)).toEqual([100, 0])
  })

  it.each([1, 3])(
    'let 50 of 500 concurrent calls through where the money is enough for 50, over %i processes, and leak nothing',
    async processes => {
      const all = Array.from({ length: processes }, (_, number) => newBudgets(`process ${number}`))
      const limit: Limit = { scope: 'key:ada', dayNanoUsd: 50_000 }
      const release = Promise.withResolvers<void>()
      const reserved = Array.from({ length: 500 }, async (_, call) => {
        const budgets = all[call % processes] as Budgets
        const done = await budgets.reserve([limit, ALL], 1_000)
        if ('refusal' in done) return done.refusal.kind
        return { settle: release.promise.then(() => budgets.settle(done.hold, 1_000)) }
      })
      const outcomes = await Promise.all(reserved)
      const answered = outcomes.flatMap(one => (typeof one === 'object' ? one.settle : []))
      expect(answered).toHaveLength(50)
      // Nothing is spent yet: each of the others may come back.
      expect(outcomes.filter(one => one === 'reserved')).toHaveLength(450)
      expect(await counter('key:ada', DAY)).toEqual([0, 50_000])
      release.resolve()
      await Promise.all(answered)
      for (const scope of ['key:ada', 'all'] as const) {
        expect(await counter(scope, DAY)).toEqual([50_000, 0])
        expect(await counter(scope, MONTH)).toEqual([50_000, 0])
      }
      for (const budgets of all)
        expect(await budgets.reserve([limit, ALL], 1_000)).toMatchObject({ refusal: { kind: 'spent' } })
      const rows = await records.read(db => db.selectFrom('budget_holds').select('id').execute())
      expect(rows).toEqual([])
    },
  )

  it('refuse none of 50 calls that follow one another, over two processes', async () => {
    const [one, two] = [newBudgets('one'), newBudgets('two')]
    for (let call = 0; call < 50; call += 1) {
      const budgets = call % 2 === 0 ? one : two
      await budgets.settle(await heldBy(budgets, [{ scope: 'all', dayNanoUsd: 50_000 }], 1_000), 1_000)
    }
    expect(await counter('all', DAY)).toEqual([50_000, 0])
  })

  it('book a cost above the reserved amount in full', async () => {
    const budgets = newBudgets()
    await budgets.settle(await heldBy(budgets, [KEY], 100), 2_000)
    expect(await counter('key:ada', DAY)).toEqual([2_000, 0])
    await expect(budgets.assertNotSpent([KEY])).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  })

  it('write nothing to reserve nothing, and book what it costs nevertheless: once, above a limit too', async () => {
    const budgets = newBudgets()
    const free = await heldBy(budgets, [KEY], 0)
    await budgets.settle(free, 0)
    const charged = await Promise.all([1, 2].map(() => heldBy(budgets, [KEY, ALL], 0)))
    expect(await holds.takeBack(NOON + 60_000)).toBe(0)
    for (const hold of charged) await Promise.all([budgets.settle(hold, 700), budgets.settle(hold, 700)])
    for (const scope of [KEY.scope, ALL.scope]) expect(await counter(scope, DAY)).toEqual([1_400, 0])
    expect(await holds.takeBack(NOON + 60_000)).toBe(0)
    expect(budgets.openHolds).toBe(0)
    expect(notices).toMatchObject([{ scope: 'key:ada', period: DAY, spentNanoUsd: 1_400 }])
    await expect(budgets.assertNotSpent([KEY])).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  })

  it('settle a hold in the period in which it was made, also after midnight', async () => {
    clock = new FakeClock(MIDNIGHT - 1_000)
    const budgets = newBudgets()
    const hold = await heldBy(budgets, [KEY], 400)
    await clock.advance(1_001)
    await budgets.settle(hold, 300)
    expect(await counter('key:ada', DAY)).toEqual([300, 0])
    expect(await counter('key:ada', '2026-11-30')).toEqual([0, 0])
    expect(await heldBy(budgets, [KEY], 1_000)).toMatchObject({ day: '2026-11-30' })
  })

  it('take a hold back when its process no longer renews it, and still book what comes late', async () => {
    const dead = newBudgets('dead', new HoldRecords(records))
    const hold = await heldBy(dead, [KEY], 1_000)
    await holds.takeBack(NOON + 19_000)
    expect(await counter('key:ada', DAY)).toEqual([0, 1_000])
    expect(await holds.takeBack(NOON + 20_001)).toBe(1)
    expect(await holds.takeBack(NOON + 20_001)).toBe(0)
    expect(await counter('key:ada', DAY)).toEqual([0, 0])
    expect((await holds.settle(hold, 700)).result).toBe('late')
    expect((await holds.settle(hold, 700)).result).toBe('none')
    expect(await counter('key:ada', DAY)).toEqual([700, 0])
  })

  it('renew the hold of a long stream for as long as its process lives', async () => {
    const budgets = newBudgets()
    const hold = await heldBy(budgets, [KEY], 500)
    for (let second = 0; second < 60; second += 5) {
      await clock.advance(5_000)
      await expect
        .poll(async () => {
          const [row] = await records.read(db => db.selectFrom('budget_holds').select('expires_at').execute())
          return row?.expires_at
        })
        .toBe(clock.now() + 20_000)
      expect(await holds.takeBack(clock.now())).toBe(0)
    }
    await budgets.settle(hold, 1)
    expect(await counter('key:ada', DAY)).toEqual([1, 0])
  })

  it('settle later what could not be settled while the database was away', async () => {
    const { failing, away } = holdsWithout('settle')
    const budgets = newBudgets('one', failing)
    await budgets.settle(await heldBy(budgets, [KEY], 500), 200)
    expect(await counter('key:ada', DAY)).toEqual([0, 500])
    away.clear()
    await clock.advance(1_000)
    await expect.poll(() => counter('key:ada', DAY)).toEqual([200, 0])
    expect(budgets.openHolds).toBe(0)
  })

  it('book later, and once, the cost of a hold of nothing while the database was away', async () => {
    const { failing, away } = holdsWithout('reserve', 'settle')
    const budgets = newBudgets('one', failing)
    await budgets.settle(await heldBy(budgets, [KEY], 0), 300)
    expect(budgets.openHolds).toBe(1)
    away.delete('reserve')
    await clock.advance(1_000)
    await expect.poll(() => errors.length).toBe(2)
    expect(await counter('key:ada', DAY)).toEqual([0, 0])
    away.clear()
    await clock.advance(1_000)
    await expect.poll(() => counter('key:ada', DAY)).toEqual([300, 0])
    expect(budgets.openHolds).toBe(0)
  })

  it('book once what two attempts at it find unsettled at the same time', async () => {
    const { failing, away } = holdsWithout('reserve')
    const budgets = newBudgets('one', failing)
    await budgets.settle(await heldBy(budgets, [KEY], 0), 300)
    await budgets.settle(await heldBy(budgets, [KEY], 0), 40)
    away.clear()
    await clock.advance(1_000)
    await budgets.drain()
    await expect.poll(() => counter('key:ada', DAY)).toEqual([340, 0])
    expect(budgets.openHolds).toBe(0)
  })

  it('give a notice at 80 %, once for each scope and period over all processes', async () => {
    const [one, two] = [newBudgets('one'), newBudgets('two')]
    await one.settle(await heldBy(one, [KEY], 799), 799)
    expect(notices).toEqual([])
    await two.settle(await heldBy(two, [KEY], 1), 1)
    await one.settle(await heldBy(one, [KEY], 100), 100)
    expect(notices).toEqual([{ scope: 'key:ada', period: DAY, spentNanoUsd: 800, limitNanoUsd: 1_000 }])
  })

  it('give it again for a higher limit, once over all processes', async () => {
    const [one, two] = [newBudgets('one'), newBudgets('two')]
    await one.settle(await heldBy(one, [KEY], 900), 900)
    const raised = { ...KEY, dayNanoUsd: 2_000 }
    await one.settle(await heldBy(one, [raised], 600), 600)
    expect(notices).toHaveLength(1)
    await two.settle(await heldBy(two, [raised], 200), 200)
    await one.settle(await heldBy(one, [raised], 100), 100)
    expect(notices.map(({ limitNanoUsd, spentNanoUsd }) => [limitNanoUsd, spentNanoUsd])).toEqual([
      [1_000, 900],
      [2_000, 1_700],
    ])
  })

  describe('compared with the ledger', () => {
    let ledger: number
    let raised: number[]
    let surplus: number[]

    const newReconciler = (): Reconciler =>
      new Reconciler({
        records: holds,
        ledgerSums: async () => () => ledger,
        now: () => clock.now(),
        onRaised: ({ byNanoUsd }) => raised.push(byNanoUsd),
        onSurplus: ({ counter }) => surplus.push(counter.spent),
      })
    const spend = async (nanoUsd: number): Promise<void> => {
      const budgets = newBudgets()
      await budgets.settle(await heldBy(budgets, [{ scope: 'all', dayNanoUsd: 1e9 }], nanoUsd), nanoUsd)
    }
    beforeEach(() => {
      ledger = 0
      raised = []
      surplus = []
    })

    it('are raised by what two rounds in a row lack, under traffic too, and by it once over two processes', async () => {
      const [one, two] = [newReconciler(), newReconciler()]
      // 120 are lacking throughout; what else differs is only on its way.
      const compare = async (underway: number): Promise<void> => {
        await spend(1_000)
        ledger += 1_000 + underway
        await Promise.all([one.compare(), two.compare()])
        ledger -= underway
      }
      ledger = 120
      await compare(70)
      expect(raised).toEqual([])
      await compare(0)
      expect(raised).toEqual([120, 120])
      expect(await counter('all', DAY)).toEqual([2_120, 0])
      for (let round = 0; round < 4; round += 1) await compare(round % 2 === 0 ? 50 : 0)
      expect(raised).toHaveLength(2)
      expect(await counter('all', DAY)).toEqual([6_120, 0])
      expect(surplus).toEqual([])
    })

    it('are never lowered: more than the ledger knows is reported once, and stays spent', async () => {
      const reconciler = newReconciler()
      // The ledger has no cost of it: it was booked at what was reserved, or its row was lost.
      await spend(400)
      ledger = 100
      for (let round = 0; round < 5; round += 1) await reconciler.compare()
      expect(await counter('all', DAY)).toEqual([400, 0])
      expect(surplus).toEqual([400, 400])
      expect(raised).toEqual([])
    })
  })

  it('begin with what the ledger has of the period, and the limit counts it from the first call on', async () => {
    ledgerSum = async (scope, period) => (scope === 'key:ada' && period === DAY ? 700 : 0)
    const budgets = newBudgets()
    const calls = await Promise.all([
      budgets.reserve([KEY, ALL], 200),
      budgets.reserve([KEY, ALL], 200),
      newBudgets('two').reserve([KEY, ALL], 200),
    ])
    expect(calls.filter(done => 'hold' in done)).toHaveLength(1)
    expect(await counter('key:ada', DAY)).toEqual([700, 200])
    expect(await counter('all', DAY)).toEqual([0, 200])
    // A limit that applies again after it was removed: what was spent without it counts.
    ledgerSum = async () => 950
    await budgets.begin('key:ada', true)
    expect(await counter('key:ada', DAY)).toEqual([700, 200])
    await budgets.begin('key:ada', false)
    expect(await counter('key:ada', DAY)).toEqual([950, 200])
  })

  it('begin so where a call is only asked whether its budget is spent, too', async () => {
    ledgerSum = async (_, period) => (period === DAY ? 1_000 : 4_000)
    await expect(newBudgets().assertNotSpent([KEY])).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    expect(await counter('key:ada', MONTH)).toEqual([4_000, 0])
  })

  it('take all holds of an ended process back in one turn, however many', async () => {
    const dead = newBudgets('dead')
    await Promise.all(Array.from({ length: 250 }, () => heldBy(dead, [ALL], 10)))
    expect(await holds.takeBack(NOON + 20_001)).toBe(250)
    expect(await counter('all', DAY)).toEqual([0, 0])
  })

  it('settle at a clean stop what waits for its retry, as soon as the database is back within 1.5 s', async () => {
    const failing = new HoldRecords(records)
    let failures = 0
    const settle = failing.settle.bind(failing)
    failing.settle = (...hold) => {
      failures -= 1
      return failures < 0 ? settle(...hold) : Promise.reject(new GatewayError('STORE_UNAVAILABLE'))
    }
    const budgets = newBudgets('one', failing)
    failures = 3
    await budgets.settle(await heldBy(budgets, [KEY], 500), 200)
    expect(await counter('key:ada', DAY)).toEqual([0, 500])
    const drained = budgets.drain()
    await clock.advance(500)
    await drained
    expect(failures).toBe(-1)
    expect(await counter('key:ada', DAY)).toEqual([200, 0])
    expect(clock.pending).toBe(0)
  })

  it('stop settling at a clean stop after 1.5 s, and leave no timer', async () => {
    const failing = new HoldRecords(records)
    failing.settle = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE'))
    const budgets = newBudgets('one', failing)
    await budgets.settle(await heldBy(budgets, [KEY], 500), 200)
    const drained = budgets.drain()
    await clock.advance(1_499)
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    await drained
    expect(clock.pending).toBe(0)
    expect(errors).toHaveLength(8)
  })

  it('of a key that made others are spent by them too, and each by its own, one after another or at once', async () => {
    const deps = {
      records: new LimitRecords(records),
      clock,
      onError: (error: unknown) => errors.push(error),
    }
    const limits = await Limits.read(deps)
    await limits.set(OWNER, async () => {})
    const maker = { id: 'ada', budget: { dayNanoUsd: 1_000 } }
    const madeBy = (id: string): Caller => ({
      kind: 'key',
      id,
      name: id,
      owner: 'acme',
      role: 'member',
      budget: { dayNanoUsd: 600 },
      makers: [maker],
      address: '',
    })
    const [one, two, third] = ['one', 'two', 'third'].map(id => limits.of(madeBy(id)))
    expect(one?.map(({ scope }) => scope)).toEqual(['key:one', 'key:ada', 'owner:acme'])
    const budgets = newBudgets()
    const holdsOf = await Promise.all([heldBy(budgets, one ?? [], 600), heldBy(budgets, two ?? [], 400)])
    expect(await budgets.reserve(third ?? [], 1)).toMatchObject({
      refusal: { kind: 'reserved', isMakers: true },
    })
    expect(await counter('key:ada', DAY)).toEqual([0, 1_000])
    expect(await holds.held()).toBe(1_000)
    await Promise.all(holdsOf.map(hold => budgets.settle(hold, hold.nanoUsd)))
    expect(await counter('key:ada', DAY)).toEqual([1_000, 0])
    expect(await counter('key:one', DAY)).toEqual([600, 0])
    const { refusal } = (await budgets.reserve(third ?? [], 1)) as { refusal: Refusal }
    expect(refusalError(refusal, 1, NOON).message).toContain(
      'The daily budget of the key that made this one is used up.',
    )
    expect(await holds.held()).toBe(0)
  })

  it('pass a change of a limit on to other processes, a removal too', async () => {
    const deps = {
      records: new LimitRecords(records),
      clock,
      onError: (error: unknown) => errors.push(error),
    }
    const [one, two] = [await Limits.read(deps), await Limits.read(deps)]
    const caller = {
      kind: 'key',
      id: 'ada',
      name: 'Ada',
      owner: 'acme',
      role: 'member',
      address: '',
    } as const
    await one.set(KEY, async () => {})
    await one.set(OWNER, async () => {})
    expect(one.of(caller)).toEqual([KEY, OWNER])
    // Looked up once for all policies of a call.
    expect(one.of(caller)).toBe(one.of(caller))
    await clock.advance(2_000)
    await expect.poll(() => two.of(caller)).toEqual([KEY, OWNER])
    await one.set({ scope: 'key:ada' }, async () => {})
    await clock.advance(2_000)
    await expect.poll(() => two.of(caller)).toEqual([OWNER])
    expect(two.of({ kind: 'guest', id: 'x', address: '' })).toEqual([])
  })

  it('are always what a model of them says, over 300 random operations', async () => {
    const random = seededRandom(14)
    const budgets = newBudgets()
    const open: Hold[] = []
    let [spent, reserved] = [0, 0]
    const limit: Limit = { scope: 'all', dayNanoUsd: 20_000 }
    for (let step = 0; step < 300; step += 1) {
      const amount = Math.floor(random() * 2_000)
      if (random() < 0.5 || open.length === 0) {
        const done = await budgets.reserve([limit], amount)
        expect('hold' in done).toBe(spent + reserved + amount <= 20_000)
        if ('refusal' in done) expect(done.refusal.kind).toBe(spent + amount > 20_000 ? 'spent' : 'reserved')
        else {
          open.push(done.hold)
          reserved += amount
        }
      } else {
        const [hold] = open.splice(Math.floor(random() * open.length), 1)
        if (!hold) continue
        const cost = random() < 0.3 ? 0 : Math.floor(random() * hold.nanoUsd)
        await budgets.settle(hold, cost)
        reserved -= hold.nanoUsd
        spent += cost
      }
      expect(await counter('all', DAY)).toEqual([spent, reserved])
    }
  })
})
