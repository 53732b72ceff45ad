import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import type { Call, Target } from '#lib/llm/types.ts'
import { beginAttempt } from '#lib/request-context.ts'
import type { Alias, AliasTarget, Strategy } from '#lib/routing/alias.ts'
import { route } from '#lib/routing/route.ts'
import { armOf } from '#lib/routing/sticky.ts'
import { Busy, LatencyEwma } from '#lib/routing/target-stats.ts'
import { batches, collect, newCall, replyOf, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const target = (name: string): Target => ({ provider: 'fake', model: name, name })
const one = (name: string, facts: Partial<AliasTarget> = {}): AliasTarget => ({
  target: target(name),
  weight: 1,
  ...facts,
})

const setting = (strategy: Strategy, targets: readonly AliasTarget[]) => {
  const clock = new FakeClock()
  const stats = { latency: new LatencyEwma(clock), busy: new Busy() }
  const alias: Alias = { name: 'fast', strategy, targets }
  const policy = route({
    plan: name => [target(name), target(`${name}-spare`)],
    imageChain: [],
    aliases: new Map([['fast', alias]]),
    hasEndpoint: ({ name }, endpoint) => endpoint === 'chat' || !name.startsWith('chat-alone'),
    stats,
  })
  const failing = new Set<string>()
  const takesMs: Record<string, number> = {}
  const ask = async (changes: Partial<Call> = {}) => {
    const call = newCall({ model: 'fast', ...changes })
    const reply = await policy(call, async ({ plan }) => {
      const first = plan[0] as Target
      const startedAt = clock.now()
      const attempt = beginAttempt(call, first, startedAt)
      await clock.advance(takesMs[first.name] ?? 100)
      if (failing.has(first.name)) throw new GatewayError('PROVIDER_ERROR')
      attempt.firstContentAt = clock.now()
      return { ...replyOf(batches(text('ok'), [{ type: 'finish', reason: 'stop' }])), attempt }
    })
    const { plan, arm, skipped } = call.journal
    return { reply, plan: plan?.map(({ name }) => name) ?? [], arm, skipped }
  }
  return { clock, stats, ask, failing, takesMs }
}

describe('a call for an endpoint beside chat', () => {
  const passthrough: Call['passthrough'] = {
    endpoint: 'embeddings',
    body: { kind: 'json', members: [] },
    namesModel: true,
    inputs: 1,
  }
  const reason = 'INVALID_INPUT'

  it('skips targets of an alias that lack the endpoint, and names them', async () => {
    const { ask } = setting('priority', [one('chat-alone'), one('b'), one('chat-alone-2')])
    const { plan, skipped } = await ask({ passthrough })
    expect(plan).toEqual(['b', 'b-spare'])
    expect(skipped).toEqual([
      { target: 'chat-alone', reason },
      { target: 'chat-alone-2', reason },
    ])
    const chat = await ask()
    expect(chat.plan).toEqual(['chat-alone', 'b', 'chat-alone-2', 'chat-alone-spare'])
    expect(chat.skipped).toBeUndefined()
  })

  it('is assigned an arm that has the endpoint', async () => {
    const { ask } = setting('weighted', [one('chat-alone', { weight: 1_000 }), one('b')])
    expect(await ask({ passthrough })).toMatchObject({ arm: 'b', plan: ['b', 'b-spare'] })
  })

  it('never uses a target without weight, though it alone has the endpoint', async () => {
    const { ask } = setting('weighted', [one('chat-alone'), one('b', { weight: 0 })])
    expect(await ask({ passthrough })).toMatchObject({ plan: ['chat-alone'] })
  })

  it('keeps one target of an alias without any that has the endpoint, and a model that is named', async () => {
    const { ask } = setting('priority', [one('chat-alone'), one('chat-alone-2')])
    const { plan, skipped } = await ask({ passthrough })
    expect(plan).toEqual(['chat-alone'])
    expect(skipped?.map(({ target: name }) => name)).toEqual(['chat-alone-2', 'chat-alone-spare'])
    expect((await ask({ passthrough, model: 'chat-alone' })).plan).toEqual(['chat-alone'])
  })
})

describe('an alias', () => {
  it('priority: asks as listed, then the fallbacks of the first', async () => {
    const { ask } = setting('priority', [one('a'), one('b')])
    const { plan, arm } = await ask()
    expect(plan).toEqual(['a', 'b', 'a-spare'])
    expect(arm).toBeUndefined()
  })

  it('leaves every other name to the catalog', async () => {
    const { ask } = setting('priority', [one('a')])
    expect((await ask({ model: 'z' })).plan).toEqual(['z', 'z-spare'])
  })

  it('cheapest: asks by price, an unknown one last', async () => {
    const { ask } = setting('cheapest', [
      one('unknown'),
      one('dear', { usdPerMillionBoth: 9 }),
      one('free', { usdPerMillionBoth: 0 }),
    ])
    expect((await ask()).plan.slice(0, 3)).toEqual(['free', 'dear', 'unknown'])
  })

  it('fastest: tries the unseen first, then stays with the one that was faster', async () => {
    const { ask, takesMs } = setting('fastest', [one('slow'), one('quick')])
    takesMs.slow = 900
    takesMs.quick = 50
    const asked = [await ask(), await ask(), await ask(), await ask()].map(({ plan }) => plan[0])
    expect(asked).toEqual(['slow', 'quick', 'quick', 'quick'])
  })

  it('fastest: leaves a failing one alone, and gives it another chance after five minutes', async () => {
    const { ask, failing, clock } = setting('fastest', [one('bad'), one('good')])
    failing.add('bad')
    await expect(ask()).rejects.toMatchObject({ code: 'PROVIDER_ERROR' })
    expect((await ask()).plan[0]).toBe('good')
    expect((await ask()).plan[0]).toBe('good')
    failing.clear()
    await clock.advance(300_001)
    expect((await ask()).plan[0]).toBe('bad')
  })

  it('fastest, least-busy: see also those who are asked for by their own name', async () => {
    const { ask, stats, takesMs } = setting('fastest', [one('slow'), one('quick')])
    takesMs.slow = 900
    takesMs.quick = 50
    await ask({ model: 'slow' })
    const { reply } = await ask({ model: 'quick' })
    expect(stats.busy.of(target('quick'))).toBe(1)
    await collect(reply)
    expect((await ask()).plan[0]).toBe('quick')
  })

  it('least-busy: asks the target with the fewest calls under way, and forgets a call when it ends', async () => {
    const { ask, stats } = setting('least-busy', [one('a'), one('b')])
    const first = await ask()
    const second = await ask()
    expect([first.plan[0], second.plan[0]]).toEqual(['a', 'b'])
    await collect(second.reply)
    expect((await ask()).plan[0]).toBe('b')
    await collect(first.reply)
    expect(stats.busy.of(target('a'))).toBe(0)
  })

  it('least-busy: a call that fails is no longer under way', async () => {
    const { ask, stats, failing } = setting('least-busy', [one('a')])
    failing.add('a')
    await expect(ask()).rejects.toThrow()
    expect(stats.busy.of(target('a'))).toBe(0)
  })

  it('weighted: tells the arm, and never asks what weighs nothing', async () => {
    const { ask } = setting('weighted', [one('a', { weight: 0 }), one('b')])
    const { plan, arm } = await ask()
    expect(plan).toEqual(['b', 'b-spare'])
    expect(arm).toBe('b')
  })
})

describe('the arms of a weighted alias', () => {
  const guest = (id: string) => ({ kind: 'guest', id, address: '192.0.2.1' }) as const
  const weights = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 5 })

  it('keep their callers, whatever their address', () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), weights, (id, address, list) => {
        const alias = { name: 'x', targets: list.map(weight => ({ weight })) }
        expect(armOf(alias, { ...guest(id), address })).toBe(armOf(alias, guest(id)))
      }),
    )
  })

  it('get their shares of many callers, within three in a hundred', () => {
    fc.assert(
      fc.property(weights, fc.string({ maxLength: 10 }), (list, name) => {
        const targets = list.map(weight => ({ weight }))
        const total = list.reduce((sum, weight) => sum + weight, 0)
        const counts = new Map<object | undefined, number>()
        for (let caller = 0; caller < 4_000; caller += 1) {
          const arm = armOf({ name, targets }, guest(`guest-${caller}`))
          counts.set(arm, (counts.get(arm) ?? 0) + 1)
        }
        for (const one of targets) {
          const share = total === 0 ? 0 : one.weight / total
          expect(Math.abs((counts.get(one) ?? 0) / 4_000 - share)).toBeLessThan(0.03)
        }
      }),
      { numRuns: 30, seed: 1 },
    )
  })
})
