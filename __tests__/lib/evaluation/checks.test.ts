import { afterEach, describe, expect, it } from 'vitest'
import type { Caller } from '#lib/caller.ts'
import { systemClock } from '#lib/clock.ts'
import { type AnswerChecks, CHECKS_PROGRAM, Checks } from '#lib/evaluation/checks/checks.ts'
import { FairQueue } from '#lib/evaluation/checks/fair-queue.ts'

/** Above the time that makes an owner slow. */
const LIMIT_MS = 1_600
const MANY = 12

/** A schema that takes for ever to refuse any value. */
const endless = () => {
  const doubled = (name: string) => ({ anyOf: [{ $ref: `#/$defs/${name}` }, { $ref: `#/$defs/${name}` }] })
  const $defs: Record<string, object> = { d0: { const: 'never' } }
  for (let level = 1; level <= 40; level += 1) $defs[`d${level}`] = doubled(`d${level - 1}`)
  return { $defs, ...doubled('d40') }
}

const at = (address: string): Caller => ({ kind: 'anonymous', address })
const guestOf = (address: string, id: string): Caller => ({ kind: 'guest', id, address })

describe('checks of answers', () => {
  let stop = new AbortController()
  const newChecks = () => new Checks({ clock: systemClock, limitMs: LIMIT_MS, program: CHECKS_PROGRAM })
  const slow = (checks: AnswerChecks) =>
    checks.violations(endless(), '1').then(
      () => 1,
      () => 0,
    )
  afterEach(() => {
    stop.abort()
    stop = new AbortController()
  })

  it('of one caller, however many are slow, hold up another’s by one of them', async () => {
    const all = newChecks()
    const { signal } = stop
    let ended = 0
    for (let asked = 0; asked < MANY; asked += 1)
      void slow(all.for({ caller: guestOf('192.0.2.1', `guest-${asked}`), signal })).then(one => {
        ended += one
      })
    const other = all.for({ caller: at('192.0.2.2'), signal })
    for (let asked = 0; asked < 20; asked += 1)
      expect(await other.matches('b+', '', 'abbc')).toEqual({ state: 'known', value: true })
    // One at a time in a row, or in turns, all would have ended.
    expect(ended).toBeLessThan(MANY / 2)
  })

  it('leave the queue with the reason of their signal, and take none of its time', async () => {
    const all = newChecks()
    const caller = at('192.0.2.1')
    const gone = new Error('gone')
    const left = new AbortController()
    const running = all.for({ caller, signal: left.signal }).violations(endless(), '1')
    const waiting = Array.from({ length: MANY }, () =>
      all.for({ caller, signal: left.signal }).violations(endless(), '1'),
    )
    const own = all.for({ caller, signal: stop.signal }).matches('b', '', 'abc')
    left.abort(gone)
    const startedAt = performance.now()
    for (const check of [running, ...waiting]) await expect(check).rejects.toBe(gone)
    expect(performance.now() - startedAt).toBeLessThan(LIMIT_MS / 2)
    await expect(all.for({ caller, signal: left.signal }).matches('b', '', 'abc')).rejects.toBe(gone)
    expect(await own).toEqual({ state: 'known', value: true })
    expect(performance.now() - startedAt).toBeLessThan((MANY / 2) * LIMIT_MS)
  })
})

it('a queue gives owners turns, and keeps the order of each one’s entries', () => {
  const queue = new FairQueue<{ owner: string; name: string }>()
  const entries = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map(name => ({ owner: name.slice(0, 1), name }))
  for (const entry of entries) queue.add(entry)
  for (const entry of entries) if (entry.name === 'a2' || entry.name === 'c1') queue.remove(entry)
  queue.remove({ owner: 'd', name: 'd1' })
  expect(queue.next(owner => owner === 'b')?.name).toBe('b1')
  const names: (string | undefined)[] = []
  for (let turn = 0; turn < 4; turn += 1) names.push(queue.next(() => true)?.name)
  expect(names).toEqual(['a1', 'b2', 'a3', undefined])
})
