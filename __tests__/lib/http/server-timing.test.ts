import { describe, expect, it } from 'vitest'
import { contextHeaders } from '#lib/http/route-response.ts'
import type { ReplyHead } from '#lib/llm/types.ts'
import { type Journal, newJournal, waited } from '#lib/request-context.ts'
import { newCall, TARGET } from '../../support/calls.ts'

const timing = (journal: Partial<Journal>, now: number): string | undefined =>
  contextHeaders(newCall({ startedAt: 0, journal: { ...newJournal(), ...journal } }), now)['server-timing']

describe('Server-Timing', () => {
  it('tells what was waited for, and what is left as the gateway’s own', () => {
    const journal = newJournal()
    waited(journal, 'limit', 1.5)
    waited(journal, 'queue', 20)
    waited(journal, 'retry', 250)
    waited(journal, 'retry', 500)
    waited(journal, 'cache', 2)
    journal.attempts.push({ number: 0, target: TARGET, startedAt: 30, endedAt: 130 })
    journal.attempts.push({ number: 1, target: TARGET, startedAt: 880 })
    expect(timing({ ...journal, firstContentAt: 980 }, 981)).toBe(
      'limit;dur=1.5, cache;dur=2.0, queue;dur=20.0, retry;dur=750.0, upstream;dur=200.0, gateway;dur=7.5',
    )
  })

  it('leaves out what took less than a tenth of a millisecond', () => {
    expect(timing({ waits: { limit: 0.09, cache: 0.1 } }, 1)).toBe('cache;dur=0.1, gateway;dur=0.9')
  })

  it('counts the time of two attempts at once only once', () => {
    const attempts = [
      { number: 0, target: TARGET, startedAt: 0, endedAt: 150 },
      { number: 1, target: TARGET, startedAt: 100 },
      { number: 2, target: TARGET, startedAt: 120, endedAt: 130 },
    ]
    expect(timing({ attempts, firstContentAt: 200 }, 210)).toBe('upstream;dur=200.0, gateway;dur=10.0')
  })

  it('does not count what comes after the first content', () => {
    const attempts = [{ number: 0, target: TARGET, startedAt: 0 }]
    expect(timing({ attempts, firstContentAt: 100 }, 101)).toBe('upstream;dur=100.0, gateway;dur=1.0')
  })

  it('counts the whole upstream of an answer that left as a whole', () => {
    const attempts = [{ number: 0, target: TARGET, startedAt: 0, endedAt: 9_000 }]
    expect(timing({ attempts, firstContentAt: 100 }, 9_001)).toBe('upstream;dur=9000.0, gateway;dur=1.0')
  })

  it('never tells less than nothing', () => {
    expect(timing({ waits: { retry: 50, queue: 50 } }, 60)).toContain('gateway;dur=0.0')
  })
})

describe('the cost of an answer, before its end', () => {
  const costOf = (cache: ReplyHead['cache']): string | undefined => {
    const head: ReplyHead = { id: 'chat_1', target: TARGET, cache }
    return contextHeaders(newCall({ journal: { ...newJournal(), head } }), 0)['x-gateway-cost-usd']
  }

  it.each(['hit', 'stale'] as const)('is nothing where the cache answers with a %s', cache => {
    expect(costOf(cache)).toBe('0')
  })

  it.each(['miss', 'bypass'] as const)('is not known where the cache says %s', cache => {
    expect(costOf(cache)).toBeUndefined()
  })
})
