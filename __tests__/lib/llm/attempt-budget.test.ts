import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttemptBudget, beginAttempt } from '#lib/request-context.ts'
import { newAttempt, newCall, TARGET } from '../../support/calls.ts'

/** Takes and makes so many. */
const spent = (times: number): AttemptBudget => {
  const budget = new AttemptBudget()
  for (let made = 0; made < times; made += 1) if (budget.take()) budget.begin(newAttempt())
  return budget
}

describe('the attempts of a call', () => {
  it('are four', () => {
    const budget = new AttemptBudget()
    expect(Array.from({ length: 6 }, () => budget.take())).toEqual([true, true, true, true, false, false])
    expect(budget.remaining).toBe(0)
  })

  it('are not taken where that leaves too few for the targets that follow', () => {
    const budget = spent(2)
    expect([budget.take(2), budget.remaining]).toEqual([false, 2])
    expect([budget.take(1), budget.remaining]).toEqual([true, 1])
  })

  it('hold one hedge at most, which is one of the four', () => {
    const budget = spent(1)
    expect([budget.takeHedge(0), budget.takeHedge(0)]).toEqual([true, false])
    expect([budget.hedged, budget.remaining]).toEqual([true, 2])
    const full = spent(4)
    expect([full.takeHedge(0), full.hedged]).toEqual([false, false])
  })

  it('come back where a target refused before it was asked', () => {
    const budget = spent(1)
    budget.take()
    budget.take()
    budget.release()
    expect([budget.remaining, budget.made.length]).toEqual([3, 1])
  })

  it('are never more than four together, whatever is taken, made and given back', () => {
    const step = fc.constantFrom('take', 'hedge', 'release')
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(fc.boolean()), (steps, comesToAnAttempt) => {
        const budget = new AttemptBudget()
        for (const [index, what] of steps.entries()) {
          if (what === 'release') budget.release()
          else if ((what === 'take' ? budget.take() : budget.takeHedge(0)) && comesToAnAttempt[index])
            budget.begin(newAttempt())
          expect(budget.made.length + budget.remaining).toBeLessThanOrEqual(4)
          expect(budget.remaining).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })
})

describe('the attempts of a request', () => {
  it('are numbered in order, over all copies of its call', () => {
    const call = newCall()
    const numbers = [call, { ...call }, { ...call, plan: [] }].map(one => beginAttempt(one, TARGET, 0).number)
    expect(numbers).toEqual([0, 1, 2])
    expect(call.attempts.made).toEqual(call.journal.attempts)
  })
})
