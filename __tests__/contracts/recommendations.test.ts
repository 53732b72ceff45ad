import { beforeEach, describe, expect, it } from 'vitest'
import type { Caller } from '#lib/caller.ts'
import { systemClock } from '#lib/clock.ts'
import { Ledger } from '#lib/ledger/ledger.ts'
import { type Recommendations, recommend } from '#lib/ledger/recommendations/recommend.ts'
import { LedgerWriter } from '#lib/ledger/writer.ts'
import type { Call, Usage } from '#lib/llm/types.ts'
import { beginAttempt, newJournal } from '#lib/request-context.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { newCall } from '../support/calls.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'

const databases = newDatabases()
const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOON = Date.UTC(2026, 10, 25, 12)
const ADA: Caller = { kind: 'key', id: 'k1', name: 'Ada', owner: 'ada', role: 'member', address: '::1' }
const BOB: Caller = { ...ADA, id: 'k2', name: 'Bob', owner: 'bob' }
const PRICES: Readonly<Record<string, object>> = {
  large: { input: 10, output: 30, cachedInput: 1, cacheWrite: 12.5 },
  small: { input: 1, output: 3 },
}
/** Picodollars of an input token by model; those of an output token are three times as many. */
const PICO: Readonly<Record<string, number>> = { large: 10e6, small: 1e6, unpriced: 0 }
const LONG = 'An instruction of many words. '.repeat(200)

type Made = Readonly<{
  model?: string
  caller?: Caller
  at?: number
  outcome?: 'ok' | 'error'
  question?: string
  system?: string
  inputTokens?: number
  cachedInputTokens?: number
}>

describe.each(DATABASES)('recommendations by the ledger in %s', kind => {
  let records: Records
  let ledger: Ledger
  let writer: LedgerWriter

  beforeEach(async () => {
    records = await databases.openNew(kind)
    let ids = 0
    const newId = () => `id.${++ids}`
    writer = new LedgerWriter({ records, clock: systemClock, onLost: () => {} })
    ledger = new Ledger(writer, newId)
  })

  /** A request of 100 tokens of input, or more, and 10 of output. */
  const made = ({ model = 'large', caller = ADA, at = NOON, outcome = 'ok', ...rest }: Made = {}): void => {
    const { question, system, inputTokens = 100, cachedInputTokens = 0 } = rest
    const usage: Usage = {
      inputTokens,
      cachedInputTokens,
      outputTokens: 10,
      ...(model !== 'unpriced' && { costPicoUsd: (inputTokens + 30) * (PICO[model] ?? 0) }),
    }
    const target = { provider: 'fake', model, name: model }
    const call: Call = newCall({
      caller,
      startedAt: at,
      messages: [
        ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
        { role: 'user', content: 'Hi' },
      ],
      journal: { ...newJournal(), model, identity: caller, ...(question && { question }) },
    })
    const attempt = beginAttempt(call, target, at)
    Object.assign(attempt, { endedAt: at + 10, usage, outcome })
    call.journal.head = { id: 'chat_1', target, cache: 'miss' }
    ledger.attemptEnded(call, attempt)
    ledger.requestEnded('request', call, { outcome, endedAt: at + 10, status: 200 }, usage)
  }
  const times = (count: number, facts: Made): void => {
    for (let index = 0; index < count; index += 1) made({ ...facts, at: (facts.at ?? NOON) + index })
  }
  const found = async (
    changes: Partial<Parameters<typeof recommend>[0]> = {},
  ): Promise<Recommendations['recommendations']> => {
    await writer.flush()
    const { recommendations } = await recommend({
      records,
      clock: { now: () => NOON + DAY },
      priceOf: model => PRICES[model] as never,
      ttlOf: () => 3_600,
      keys: async () => [],
      ...changes,
    })
    return recommendations
  }

  it('name a cheaper model that answered the same kind of call, with what both cost', async () => {
    times(30, { model: 'large' })
    times(20, { model: 'small' })
    expect(await found()).toEqual([
      {
        kind: 'cheaper-model',
        owner: 'owner ada',
        route: '/api/chat',
        inputTokens: { from: 0, to: 256 },
        images: false,
        model: 'large',
        requests: 30,
        errors: 0,
        costNano: 30 * 130 * 10_000,
        alternative: { model: 'small', requests: 20, errors: 0, costNano: 30 * 130 * 1_000 },
        savedNano: 30 * 130 * 9_000,
      },
    ])
  })

  it.each<readonly [reason: string, facts: Made]>([
    ['was asked by another owner', { caller: BOB }],
    ['was asked with much longer inputs', { inputTokens: 5_000 }],
    ['failed more often', { outcome: 'error' }],
    ['has no known price', { model: 'unpriced' }],
    ['is from before the last 7 days', { at: NOON - 7 * DAY }],
  ])('do not name a cheaper model that %s', async (_, facts) => {
    times(30, { model: 'large' })
    times(20, { model: 'small', ...facts })
    if (facts.outcome) times(20, { model: 'small' })
    expect((await found()).filter(one => one.kind === 'cheaper-model')).toEqual([])
  })

  it('name the shortest life of cached answers that would have answered repeated questions', async () => {
    for (let hour = 0; hour < 12; hour += 2) made({ question: 'one', at: NOON + hour * HOUR })
    made({ question: 'two' })
    expect(await found()).toEqual([
      {
        kind: 'cache-rule',
        model: 'large',
        currentTtlSeconds: 3_600,
        // Every two hours: in 6 hours the first answers the next three, and the fifth the last.
        ttlSeconds: 6 * 3_600,
        requests: 7,
        hits: 4,
        savedNano: 4 * 130 * 10_000,
      },
    ])
    expect(await found({ ttlOf: () => 24 * 3_600 })).toEqual([])
    const [uncached] = await found({ ttlOf: () => undefined })
    expect(uncached).toMatchObject({ ttlSeconds: 6 * 3_600 })
    expect(uncached).toHaveProperty('currentTtlSeconds', undefined)
  })

  it('name prompts whose beginning the vendor would have cached, without what writing it costs', async () => {
    times(6, { system: LONG, inputTokens: 1_600 })
    times(6, { system: `Not cached: ${LONG}`, inputTokens: 1_600, cachedInputTokens: 1_500, caller: BOB })
    made({ system: `Once: ${LONG}`, inputTokens: 1_600 })
    const tokens = Math.floor(`system\n${LONG}\n`.length / 4)
    expect(await found()).toEqual([
      {
        kind: 'prompt-cache',
        owner: 'owner ada',
        provider: 'fake',
        model: 'large',
        prefixes: 1,
        requests: 6,
        readTokens: 5 * tokens,
        writtenTokens: tokens,
        savedNano: 5 * tokens * 9_000 - tokens * 2_500,
      },
    ])
  })

  it('do not name prompts that came too seldom for the vendor’s cache', async () => {
    for (let hour = 0; hour < 6; hour += 1) made({ system: LONG, inputTokens: 1_600, at: NOON + hour * HOUR })
    expect(await found()).toEqual([])
  })

  it('name keys that were not used for 30 days, and could be', async () => {
    const key = { name: 'Key', createdAt: NOON - 90 * DAY }
    const keys = [
      { ...key, id: 'never' },
      { ...key, id: 'long-ago', lastUsedAt: NOON - 31 * DAY },
      { ...key, id: 'used', lastUsedAt: NOON - DAY },
      { ...key, id: 'new', createdAt: NOON - DAY },
      { ...key, id: 'revoked', revokedAt: NOON - DAY },
      { ...key, id: 'expired', expiresAt: NOON - DAY },
      { ...key, id: 'makers', makersEnd: { expiresAt: NOON + 90 * DAY } },
      { ...key, id: 'ended-with-its-maker', makersEnd: { revokedAt: NOON - DAY } },
      { ...key, id: 'expired-with-its-maker', makersEnd: { expiresAt: NOON - DAY } },
    ]
    const idle = (await found({ keys: async () => keys })).map(one => one.kind === 'idle-key' && one.keyId)
    expect(idle).toEqual(['never', 'long-ago', 'makers'])
  })

  it('put those first that save most', async () => {
    times(30, { model: 'large' })
    times(20, { model: 'small' })
    for (let hour = 0; hour < 12; hour += 2) made({ question: 'one', at: NOON + hour * HOUR })
    const saved = (await found()).map(({ savedNano }) => savedNano)
    expect(saved).toHaveLength(2)
    expect(saved).toEqual(saved.toSorted((a, b) => b - a))
  })
})
