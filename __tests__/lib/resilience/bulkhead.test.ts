import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import type { Reply } from '#lib/llm/types.ts'
import { bulkhead, bulkheads } from '#lib/resilience/bulkhead.ts'
import { batches, collect, newCall, replyOf, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const setting = (slots = { most: 2, mostWaiting: 2, waitMs: 5_000 }) => {
  const clock = new FakeClock()
  const policy = bulkhead(bulkheads(slots, clock))
  let running = 0
  const ask = (signal = new AbortController().signal): Promise<Reply> =>
    policy(newCall({ signal }), async () => {
      running += 1
      return replyOf(batches(text('ok'), [{ type: 'finish', reason: 'stop' }]))
    })
  return { clock, ask, running: () => running }
}

describe('bulkhead', () => {
  it('lets two through and the third once one of them has ended', async () => {
    const { clock, ask, running } = setting()
    const first = await ask()
    await ask()
    const third = ask()
    await clock.advance(0)
    expect(running()).toBe(2)
    await collect(first)
    await third
    expect(running()).toBe(3)
    expect(clock.pending).toBe(0)
  })

  it('lets no call in for those that end while there are more than the new limit', async () => {
    const slots = { most: 3, mostWaiting: 2, waitMs: 5_000 }
    const { clock, ask, running } = setting(slots)
    const [first, second] = [await ask(), await ask(), await ask()]
    slots.most = 1
    const waiting = ask()
    await collect(first)
    await collect(second)
    await clock.advance(0)
    expect(running()).toBe(3)
    waiting.catch(() => {})
  })

  it('turns away at once who finds the queue full', async () => {
    const { ask } = setting()
    await Promise.all([ask(), ask()])
    const waiting = [ask(), ask()]
    await expect(ask()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', retryAfterSeconds: 1 })
    for (const one of waiting) one.catch(() => {})
  })

  it('turns away who has waited five seconds', async () => {
    const { clock, ask } = setting()
    await Promise.all([ask(), ask()])
    const refused = expect(ask()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' })
    await clock.advance(5_000)
    await refused
  })

  it('lets a waiting client leave, and the next one have its turn', async () => {
    const { clock, ask, running } = setting()
    const [first] = await Promise.all([ask(), ask()])
    const client = new AbortController()
    const left = expect(ask(client.signal)).rejects.toMatchObject({ code: 'CLIENT_GONE' })
    const next = ask()
    client.abort(new GatewayError('CLIENT_GONE'))
    await left
    await collect(first as Reply)
    await next
    expect(running()).toBe(3)
    expect(clock.pending).toBe(0)
  })

  it('counts a reply as ended that is left unread', async () => {
    const { ask, running } = setting()
    const [first] = await Promise.all([ask(), ask()])
    const third = ask()
    expect(running()).toBe(2)
    await first?.events[Symbol.asyncIterator]().return?.()
    await third
    expect(running()).toBe(3)
  })
})
