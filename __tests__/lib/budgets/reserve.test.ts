import { randomUUID } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Budgets } from '#lib/budgets/budgets.ts'
import { HoldRecords } from '#lib/budgets/hold-records.ts'
import { OutputSizes } from '#lib/budgets/output-sizes.ts'
import { dayOf } from '#lib/budgets/period.ts'
import { type ReserveDeps, reserve, spentOut, type UnexpectedCost } from '#lib/budgets/reserve.ts'
import type { Limit } from '#lib/budgets/types.ts'
import { WorstCases } from '#lib/budgets/worst-case.ts'
import { systemClock } from '#lib/clock.ts'
import { compose, type Handler } from '#lib/compose.ts'
import { GatewayError } from '#lib/errors.ts'
import { type AskDeps, ask as asking } from '#lib/llm/ask.ts'
import { prefetched } from '#lib/llm/events.ts'
import type { Call, Provider, Reply, ReplyEvent, Usage } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import type { Attempt } from '#lib/request-context.ts'
import { RacedAttempt } from '#lib/resilience/race.ts'
import { openRecords } from '#lib/storage/records/open.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { Tokenizer } from '#lib/tokenizer/tokenizer.ts'
import { collect, newCall, TARGET, text } from '../../support/calls.ts'

const FINISH: ReplyEvent = { type: 'finish', reason: 'stop' }
/** Nanodollars: a token costs one in, and ten out. */
const cost = ({ inputTokens, outputTokens }: Usage): number => inputTokens + 10 * outputTokens

let records: Records
let holds: HoldRecords
let limits: readonly Limit[]
let unexpected: UnexpectedCost[]
let deps: ReserveDeps
let charged: Attempt[]
let drains: boolean
let drainedWork: number

beforeEach(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-reserve-'))
  records = await openRecords({ dataDir } as Parameters<typeof openRecords>[0], systemClock)
  holds = new HoldRecords(records)
  limits = [{ scope: 'all', dayNanoUsd: 100_000 }]
  unexpected = []
  charged = []
  drains = false
  drainedWork = 0
  const outputSizes = new OutputSizes()
  deps = {
    budgets: new Budgets({
      records: holds,
      ledgerSum: async () => 0,
      clock: systemClock,
      process: 'one',
      newId: randomUUID,
      noticeAt: 0.8,
      onNotice: () => {},
      onTakenBack: () => {},
      onError: error => {
        throw error
      },
    }),
    budgetsOf: () => limits,
    worstCases: new WorstCases({
      priceOf: ({ model }) => {
        if (model === 'free') return { inputPicoUsd: 0, outputPicoUsd: 0 }
        return model === 'unpriced' ? undefined : { inputPicoUsd: 1e3, outputPicoUsd: 1e4 }
      },
      unitPriceOf: () => undefined,
      callPricesOf: () => ({}),
      contextTokensOf: () => undefined,
      mayPassOn: () => true,
      outputLimitsOf: () => undefined,
      outputTokensOf: call => outputSizes.of(call.caller),
      tokenizer: new Tokenizer(systemClock),
    }),
    outputSizes,
    allowsUnpriced: false,
    mayClamp: false,
    onUnexpectedCost: one => unexpected.push(one),
    clock: systemClock,
  }
})
afterEach(() => records.close())

const counter = async () => {
  const [day] = await holds.counters(['all'], dayOf(systemClock.now()))
  return { spent: day?.spent, reserved: day?.reserved }
}

const priced: AskDeps['priced'] = (usage, { model }) => {
  const unreported = model === 'unpriced' ? undefined : cost(usage) * 1_000
  const costPicoUsd = usage.reportedPicoUsd ?? unreported
  return costPicoUsd === undefined ? usage : { ...usage, costPicoUsd }
}

/** The last handler of the pipeline, over a provider. What the ledger charges is in `charged`. */
const asked =
  (ask: Provider['ask']): Handler<Call, Reply> =>
  call => {
    const ledger: AskDeps = {
      providers: new Map([['fake', { id: 'fake', ask }]]),
      clock: systemClock,
      listener: { succeeded: () => {}, failed: () => {} },
      priced,
      onAttemptEnd: (_, attempt) => charged.push(attempt),
      drain: {
        isOn: () => drains,
        mostMs: 60_000,
        open: () => {
          drainedWork += 1
          return { signal: new AbortController().signal, close: () => (drainedWork -= 1) }
        },
        clock: systemClock,
      },
    }
    return asking(ledger)(call)
  }

const chargedNano = (): number =>
  charged.reduce((sum, { usage }) => sum + (usage?.costPicoUsd ?? 0) / 1_000, 0)

/** A provider whose usage is known only once its events have been read to their end. */
const answers = (usage: Usage, ...groups: readonly (readonly ReplyEvent[])[]): Handler<Call, Reply> =>
  asked(async () => {
    const known = Promise.withResolvers<Usage>()
    const events = await prefetched(
      (async function* () {
        try {
          yield* groups
        } finally {
          known.resolve(usage)
        }
      })(),
    )
    return { head: { id: 'chat_1', target: TARGET, cache: 'miss' }, usage: known.promise, events }
  })

const USAGE: Usage = { inputTokens: 5, outputTokens: 7 }
const whole = answers(USAGE, text('Hello'), [...text(' there'), FINISH])

describe('the money of an attempt', () => {
  it('is settled before the last event is out, where the usage is known only after it', async () => {
    const reply = await compose(reserve(deps))(whole)(newCall({ maxOutputTokens: 50 }))
    const { reserved } = await counter()
    expect(reserved).toBeGreaterThanOrEqual(500)
    for await (const group of reply.events)
      expect(await counter()).toEqual(
        group.at(-1)?.type === 'finish' ? { spent: 75, reserved: 0 } : { spent: 0, reserved },
      )
  })

  it('is settled before a reader that closes the answer early goes on', async () => {
    const reply = await compose(reserve(deps))(whole)(newCall())
    const reader = reply.events[Symbol.asyncIterator]()
    await reader.next()
    await reader.return?.()
    expect(await counter()).toEqual({ spent: 75, reserved: 0 })
  })

  it('is given back where the attempt fails before its first content', async () => {
    const failing = asked(() => Promise.reject(new GatewayError('PROVIDER_ERROR')))
    await expect(compose(reserve(deps))(failing)(newCall())).rejects.toMatchObject({ code: 'PROVIDER_ERROR' })
    expect(await counter()).toEqual({ spent: 0, reserved: 0 })
  })

  it('is settled for both attempts where one has outpaced the other, by what the ledger charges for each', async () => {
    const begun = Promise.withResolvers<void>()
    const hangs = asked(
      ({ signal }, _, attempt) =>
        new Promise((_, reject) => {
          if (attempt) attempt.usage = { inputTokens: 3, outputTokens: 0, estimated: true }
          signal.addEventListener('abort', () => reject(signal.reason))
          begun.resolve()
        }),
    )
    const slow = new RacedAttempt(newCall(), compose(reserve(deps))(hangs))
    await begun.promise
    const fast = await compose(reserve(deps))(whole)(newCall())
    for await (const _ of fast.events);
    expect((await counter()).spent).toBe(75)
    expect((await counter()).reserved).toBeGreaterThan(0)
    slow.abort()
    await slow.outcome
    expect(await counter()).toEqual({ spent: 78, reserved: 0 })
    expect(chargedNano()).toBe(78)
  })

  it('is given back where the attempt was never begun: outpaced or refused while it waited for a slot', async () => {
    const waits: Handler<Call, Reply> = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const slow = new RacedAttempt(newCall(), compose(reserve(deps))(waits))
    await expect.poll(async () => (await counter()).reserved).toBeGreaterThan(0)
    slow.abort()
    await slow.outcome
    expect(await counter()).toEqual({ spent: 0, reserved: 0 })
  })

  it.each([
    ['leaves the answer', false],
    ['reads it to its end', true],
  ])(
    'is given back, and nothing asked, where its client goes meanwhile; later the gateway %s',
    async (_, isDrained) => {
      drains = isDrained
      let asks = 0
      const counting = asked(() => {
        asks += 1
        return Promise.reject(new GatewayError('PROVIDER_ERROR'))
      })
      const client = new AbortController()
      const call = newCall({ signal: client.signal })
      const reply = compose(reserve(deps))(counting)(call)
      client.abort(new GatewayError('CLIENT_GONE'))
      await expect(reply).rejects.toMatchObject({ code: 'CLIENT_GONE' })
      expect([asks, call.journal.attempts, charged]).toEqual([0, [], []])
      expect(await counter()).toEqual({ spent: 0, reserved: 0 })
    },
  )

  it('is booked where a failed answer came with a usage, as the ledger charges it', async () => {
    const failing = asked((_call, _target, attempt) => {
      if (attempt) attempt.usage = USAGE
      return Promise.reject(new GatewayError('PROVIDER_ERROR'))
    })
    await expect(compose(reserve(deps))(failing)(newCall())).rejects.toMatchObject({ code: 'PROVIDER_ERROR' })
    expect(await counter()).toEqual({ spent: 75, reserved: 0 })
    expect(chargedNano()).toBe(75)
  })

  it.each([
    ['before its first content', 0],
    ['after its first content', 1],
  ])(
    'is held till the end of an answer that is read on when its client has gone %s, and booked then',
    async (_, groups) => {
      drains = true
      const more = Promise.withResolvers<void>()
      const begun = Promise.withResolvers<void>()
      const slow = asked(async () => {
        begun.resolve()
        if (groups === 0) await more.promise
        const known = Promise.withResolvers<Usage>()
        const events = await prefetched(
          (async function* () {
            yield text('Hello')
            await more.promise
            yield [FINISH] as readonly ReplyEvent[]
            known.resolve(USAGE)
          })(),
        )
        return { head: { id: 'chat_1', target: TARGET, cache: 'miss' }, usage: known.promise, events }
      })
      const client = new AbortController()
      const answer = compose(reserve(deps))(slow)(newCall({ signal: client.signal }))
      const read = answer.then(collect)
      await begun.promise
      if (groups > 0) await answer
      expect(drainedWork).toBe(0)
      client.abort(new GatewayError('CLIENT_GONE'))
      await (groups > 0 ? read : expect(read).rejects.toMatchObject({ code: 'CLIENT_GONE' }))
      expect(drainedWork).toBe(1)
      expect((await counter()).spent).toBe(0)
      expect((await counter()).reserved).toBeGreaterThan(0)
      more.resolve()
      await expect.poll(counter).toEqual({ spent: 75, reserved: 0 })
      expect(chargedNano()).toBe(75)
      expect(drainedWork).toBe(0)
    },
  )

  it('counts in the ledger on the day on which it was reserved, where its attempt begins after midnight', async () => {
    const hold = { id: 'late', day: '2020-01-01', limits, nanoUsd: 1_000 }
    deps = { ...deps, budgets: { reserve: async () => ({ hold }), settle: async () => {} } }
    for await (const _ of (await compose(reserve(deps))(whole)(newCall())).events);
    expect(charged[0]?.accountedAt).toBe(Date.UTC(2020, 0, 2) - 1)
  })

  it('is booked in full and reported where the model has ignored its limit', async () => {
    const long = answers({ inputTokens: 5, outputTokens: 900 }, [...text('Long'), FINISH])
    const reply = await compose(reserve(deps))(long)(newCall({ maxOutputTokens: 10 }))
    for await (const _ of reply.events);
    expect(await counter()).toEqual({ spent: 9_005, reserved: 0 })
    expect(unexpected).toMatchObject([{ costNanoUsd: 9_005 }])
  })

  it('is not enough: spent out is final, with the time of renewal; reserved out is not', async () => {
    limits = [{ scope: 'all', dayNanoUsd: 12_000 }]
    const ask = compose(reserve(deps))(whole)
    const open = await ask(newCall({ maxOutputTokens: 1_000 }))
    await expect(ask(newCall({ maxOutputTokens: 1_000 }))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      retryAfterSeconds: 1,
    })
    for await (const _ of open.events);
    await expect(ask(newCall({ maxOutputTokens: 1_195 }))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      retryable: false,
      message: expect.stringMatching(/It renews at \d{4}-\d\d-\d\dT00:00:00\.000Z\.$/),
    })
    expect((await counter()).reserved).toBe(0)
    // A smaller call still fits.
    for await (const _ of (await ask(newCall({ maxOutputTokens: 1_000 }))).events);
  })

  it('is only reserved out where calls in progress hold what would pay for a shorter answer', async () => {
    limits = [{ scope: 'all', dayNanoUsd: 12_000 }]
    const ask = compose(reserve({ ...deps, mayClamp: true }))(whole)
    const first = await ask(newCall({ maxOutputTokens: 3_000 }))
    await expect(ask(newCall({ maxOutputTokens: 3_000 }))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 1,
    })
    for await (const _ of first.events);
    for await (const _ of (await ask(newCall({ maxOutputTokens: 3_000 }))).events);
    expect(await counter()).toEqual({ spent: 150, reserved: 0 })
    // What is left pays for no answer that is of use.
    limits = [{ scope: 'all', dayNanoUsd: 200 }]
    await expect(ask(newCall({ maxOutputTokens: 3_000 }))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  })

  it('pays for a shorter answer where that is allowed, but for none without the thinking that its body asks for', async () => {
    limits = [{ scope: 'all', dayNanoUsd: 12_000 }]
    const made: Call[] = []
    const ask = compose(reserve({ ...deps, mayClamp: true }))(call => {
      made.push(call)
      return whole(call)
    })
    const thinking = (reasoningTokens: number) => {
      const body = { max_tokens: 3_000, thinking: { type: 'enabled', budget_tokens: reasoningTokens } }
      const json = JSON.stringify(body)
      const raw = { format: 'anthropic-messages', json, members: membersOf(json) } as const
      return newCall({ maxOutputTokens: 3_000, parameters: { reasoningTokens }, raw })
    }
    await expect(ask(thinking(2_000))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    for await (const _ of (await ask(thinking(1_000))).events);
    expect(made).toHaveLength(1)
    expect(made[0]?.maxOutputTokens).toBeGreaterThan(1_000)
    expect(made[0]?.maxOutputTokens).toBeLessThan(1_200)
  })

  it.each([
    ['a free model', 'free', 300_000, 300],
    ['a free model that costs nothing', 'free', 0, 0],
    ['a model whose price is unknown', 'unpriced', 300_000, 300],
    ['a model of which no cost is known', 'unpriced', undefined, 0],
  ])('is not reserved for %s, and is booked as it is reported', async (_, model, reportedPicoUsd, spent) => {
    const made: Call[] = []
    const reported = answers({ ...USAGE, ...(reportedPicoUsd !== undefined && { reportedPicoUsd }) }, [
      ...text('Hello'),
      FINISH,
    ])
    const ask = compose(reserve({ ...deps, allowsUnpriced: true, mayClamp: true }))(call => {
      made.push(call)
      return reported(call)
    })
    const call = newCall({ plan: [{ ...TARGET, model }], maxOutputTokens: undefined })
    const reply = await ask(call)
    expect(await counter()).toEqual({ spent: 0, reserved: 0 })
    for await (const _ of reply.events);
    expect(await counter()).toEqual({ spent, reserved: 0 })
    expect(made[0]?.maxOutputTokens).toBeUndefined()
    expect(call.journal.budget).toBeUndefined()
    // What an unknown price comes to cannot be foreseen: it is no surprise.
    expect(unexpected).toHaveLength(spent > 0 && model === 'free' ? 1 : 0)
  })

  it('is not asked for where there is no budget, or no price for which to ask', async () => {
    const unpriced = newCall({ plan: [{ ...TARGET, model: 'unpriced' }] })
    await expect(compose(reserve(deps))(whole)(unpriced)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    for await (const _ of (await compose(reserve({ ...deps, allowsUnpriced: true }))(whole)(unpriced))
      .events);
    limits = []
    for await (const _ of (await compose(spentOut(deps as never), reserve(deps))(whole)(newCall())).events);
    expect(await counter()).toEqual({ spent: 0, reserved: 0 })
  })
})
