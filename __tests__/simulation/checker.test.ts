import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { RULES, violations } from './checker.ts'
import type { Happening, History } from './history.ts'
import { PROMISES } from './parts.ts'
import { scenarios } from './scenario.ts'
import { simulate } from './world.ts'

type Mutation = (history: History) => History

const first = <Type extends Happening['type']>(
  history: History,
  type: Type,
  fits = (_: Happening) => true,
) => {
  const index = history.findIndex(one => one.type === type && fits(one))
  if (index === -1) throw new Error(`nothing of the kind ${type} happened`)
  return index
}
const twice =
  (type: Happening['type']): Mutation =>
  history => {
    const index = first(history, type)
    return history.toSpliced(index + 1, 0, history[index] as Happening)
  }
const without =
  (type: Happening['type'], fits?: (one: Happening) => boolean): Mutation =>
  history =>
    history.toSpliced(first(history, type, fits), 1)
/** Changes the first happening of a kind. */
const changed =
  (type: Happening['type'], change: object, fits?: (one: Happening) => boolean): Mutation =>
  history =>
    history.with(first(history, type, fits), {
      ...history[first(history, type, fits)],
      ...change,
    } as Happening)
const repeated =
  (times: number, change: (count: number) => object, type: Happening['type']): Mutation =>
  history => {
    const index = first(history, type)
    const more = Array.from(
      { length: times },
      (_, count) => ({ ...history[index], ...change(count) }) as Happening,
    )
    return history.toSpliced(index + 1, 0, ...more)
  }
const paid = (one: Happening): boolean => one.type === 'billed' && one.costPicoUsd !== 0
const isWhole = (one: Happening): boolean => one.type === 'ended' && one.code === undefined

const MUTATIONS: readonly (readonly [keyof typeof RULES, string, Mutation])[] = [
  ['oneReplyAndOneEnd', 'a second reply', twice('replied')],
  ['oneReplyAndOneEnd', 'a second end', twice('ended')],
  ['oneReplyAndOneEnd', 'no end', without('ended', isWhole)],
  [
    'nothingAfterTheEnd',
    'words after the end',
    history => [...history, history[first(history, 'said')] as Happening],
  ],
  [
    'limitsHold',
    'one admission too many',
    repeated(PROMISES.limit.limit, count => ({ call: `more-${count}` }), 'asked'),
  ],
  [
    'limitsHold',
    'a refusal without need',
    history => [
      { ...history[first(history, 'asked')], call: 'lone', caller: 'lone', mark: '' } as Happening,
      { type: 'ended', at: 0, call: 'lone', code: 'RATE_LIMITED' },
      ...history,
    ],
  ],
  [
    'fewAttempts',
    'a fifth attempt',
    repeated(PROMISES.mostAttempts, count => ({ attempt: `more-${count}` }), 'attempt'),
  ],
  [
    'noAttemptAfterContent',
    'an attempt after the first content',
    history => [...history, { ...history[first(history, 'attempt')], attempt: 'late' } as Happening],
  ],
  ['attemptsEndOnce', 'an attempt that never ends', without('attempt-over')],
  ['attemptsEndOnce', 'an attempt that ends twice', twice('attempt-over')],
  [
    'slotsHold',
    'more at once than there are slots',
    repeated(PROMISES.slots.most, count => ({ attempt: `more-${count}` }), 'attempt'),
  ],
  [
    'oneProbe',
    'two probes at once',
    history =>
      [1, 2]
        .map(
          permit =>
            ({ type: 'permit', at: 0, permit: -permit, target: 'any', state: 'half-open' }) as Happening,
        )
        .concat(history),
  ],
  ['oneProbe', 'a call through an open circuit', changed('permit', { state: 'open' })],
  ['permitsEnd', 'a permit that is kept', repeated(1, () => ({ permit: -1 }), 'permit')],
  ['deadlinesHold', 'an answer after its deadline', changed('asked', { deadlineAt: -100_000 })],
  ['deadlinesHold', 'a stream without end', changed('ended', { at: 1_000_000 }, isWhole)],
  [
    'billedOnce',
    'a bill that is sent twice',
    history =>
      history.toSpliced(
        first(history, 'billed', paid),
        0,
        history[first(history, 'billed', paid)] as Happening,
      ),
  ],
  ['billedOnce', 'an answer nobody pays for', without('billed', paid)],
  ['billedOnce', 'other tokens than were used', changed('billed', { outputTokens: 99 }, paid)],
  [
    'nobodyElsesAnswer',
    'words meant for another',
    changed('said', { text: 'question 0 of caller-9 by attempt-1;' }),
  ],
  ['nobodyElsesAnswer', 'words of another answer', changed('replied', { answer: 'attempt-0' })],
  ['allAtRest', 'a timer that is left', changed('rest', { timers: 1 })],
  ['allAtRest', 'a timer for nobody between calls', changed('idle', { timers: 1 })],
  ['allAtRest', 'a listener that is left', changed('rest', { listeners: 1 })],
  ['allAtRest', 'a slot that is lost', changed('rest', { freeSlots: { first: PROMISES.slots.most - 1 } })],
  ['allAtRest', 'no rest at all', without('rest')],
]

describe('the checker', () => {
  let history: History

  beforeAll(async () => {
    const answers = { kind: 'answers', afterMs: 100, pieces: 3, paceMs: 10 } as const
    const asker = {
      question: 0,
      targets: 1,
      cache: 'default',
      fallback: true,
      leavesAfterMs: undefined,
      readsForMs: 0,
    } as const
    history = await simulate({
      seed: 1,
      fates: [[answers], [answers], [answers]],
      askers: [0, 1].map(caller => ({ ...asker, at: caller, caller, stream: true })),
    })
  })

  it('has nothing against a history that keeps every promise', () => {
    expect(violations(history)).toEqual([])
    expect(history.filter(isWhole)).toHaveLength(2)
  })

  it.each(MUTATIONS)('%s objects to %s', (rule, _, mutate) => {
    expect(RULES[rule](mutate(history))).not.toEqual([])
  })

  it('has every one of its rules objected to', () => {
    expect(Object.keys(RULES).filter(rule => !MUTATIONS.some(([name]) => name === rule))).toEqual([])
  })

  it('meets every kind of happening, end and circuit in the scenarios it is used on', async () => {
    const seen = new Set<string>()
    for (const scenario of fc.sample(scenarios, { seed: 1, numRuns: 200 })) {
      for (const one of await simulate(scenario)) {
        seen.add(one.type)
        if (one.type === 'ended') seen.add(`ended ${one.code ?? 'whole'}`)
        if (one.type === 'attempt-over') seen.add(`attempt ${one.how}`)
        if (one.type === 'permit') seen.add(`permit ${one.state}`)
        if (one.type === 'replied') seen.add(`replied ${one.cache}`)
      }
    }
    expect([...seen]).toEqual(
      expect.arrayContaining([
        ...['whole', 'RATE_LIMITED', 'CLIENT_GONE', 'TIMEOUT', 'NETWORK'].map(end => `ended ${end}`),
        ...['PROVIDER_ERROR', 'PROVIDER_RATE_LIMIT', 'MODEL_UNAVAILABLE'].map(end => `ended ${end}`),
        ...['complete', 'failed', 'aborted', 'left'].map(how => `attempt ${how}`),
        ...['closed', 'half-open'].map(state => `permit ${state}`),
        ...['miss', 'hit', 'bypass'].map(cache => `replied ${cache}`),
      ]),
    )
  })
})
