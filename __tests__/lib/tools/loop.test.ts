import { describe, expect, it } from 'vitest'
import type { Call, EventGroup, Reply, ReplyEvent } from '#lib/llm/types.ts'
import { memoryKeyValue } from '#lib/storage/memory.ts'
import { KeptTurns } from '#lib/tools/loop/kept-turns.ts'
import type { LoopDeps } from '#lib/tools/loop/loop.ts'
import { tools } from '#lib/tools/loop/policy.ts'
import { ToolRegistry } from '#lib/tools/registry.ts'
import type { ToolRun } from '#lib/tools/types.ts'
import { batches, collect, newCall, replyOf, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { servicesAt, toolNamed } from '../../support/tools.ts'

const STOP: ReplyEvent = { type: 'finish', reason: 'stop' }
const CALLS: ReplyEvent = { type: 'finish', reason: 'tool_calls' }
const calling = (index: number, id: string, name: string, json = '{"location":"Berlin"}'): ReplyEvent => ({
  type: 'tool-call-delta',
  index,
  id,
  name,
  arguments: json,
})

const ranAt = (freshUntil: number): ToolRun => ({
  ok: true,
  cache: 'miss',
  freshUntil,
  result: {
    tool: 'weather',
    service: 'x',
    retrievedAt: '2026-11-28T00:00:00Z',
    untrusted: true,
    data: 'warm',
  },
})

/** A loop whose model answers with these rounds, one after the other, and whose tools run as told. */
const setting = (rounds: readonly (readonly EventGroup[])[], changes: Partial<LoopDeps> = {}) => {
  const clock = new FakeClock()
  const asked: Call[] = []
  const closed: number[] = []
  const deps: LoopDeps = {
    registry: new ToolRegistry([toolNamed(servicesAt('http://a.example'), 'weather')]),
    runner: { run: async () => ranAt(clock.now() + 1_000) },
    turns: new KeptTurns(memoryKeyValue(100_000, clock)),
    clock,
    priced: usage => ({ ...usage, costPicoUsd: 10 }),
    checks: { call: async call => ({ call }), result: async run => run },
    mostRounds: 8,
    ...changes,
  }
  const next = async (call: Call): Promise<Reply> => {
    const index = asked.push(call) - 1
    async function* events() {
      try {
        yield* batches(...(rounds[index] ?? [[STOP]]))
      } finally {
        closed.push(index)
      }
    }
    return replyOf(events())
  }
  const run = (call: Partial<Call> = {}) => tools(deps)(newCall({ gatewayTools: ['weather'], ...call }), next)
  return { run, asked, closed, clock, deps }
}

const OWN: readonly EventGroup[] = [[...text('Wait. '), calling(0, 'a', 'weather')], [CALLS]]

describe('the loop of tools', () => {
  it('leaves a call alone that asks for none', async () => {
    const { run, asked } = setting([[[...text('Hi'), STOP]]])
    const call = newCall()
    expect(await collect(await run({ ...call, gatewayTools: undefined }))).toEqual([...text('Hi'), STOP])
    expect(asked[0]?.parameters).toBeUndefined()
  })

  it('passes text on as it comes, and says until when the answer may be served: as long as its shortest-lived result', async () => {
    const lives = [5_000, 2_000]
    const { run, clock } = setting(
      [
        [[calling(0, 'a', 'weather'), calling(1, 'b', 'weather')], [CALLS]],
        [[...text('Warm.')], [STOP]],
      ],
      { runner: { run: async () => ranAt(1_800_000_000_000 + (lives.shift() ?? 0)) } },
    )
    const found = await collect(await run())
    expect(found.map(({ type }) => type)).toEqual(['tool', 'tool', 'tool', 'tool', 'text-delta', 'finish'])
    expect(found.at(-1)).toEqual({ ...STOP, freshUntil: clock.now() + 2_000 })
  })

  it('lets an answer with a failed result not be served again', async () => {
    const failing: LoopDeps['runner'] = {
      run: async () => ({ ok: false, reason: 'timeout', message: 'Too slow.' }),
    }
    const { run, clock } = setting([OWN, [[STOP]]], { runner: failing })
    expect((await collect(await run())).at(-1)).toEqual({ ...STOP, freshUntil: clock.now() })
  })

  it('sums usage and cost of the rounds, and leaves the cost unknown where that of one is', async () => {
    const { run } = setting([OWN, [[STOP]]])
    const reply = await run()
    await collect(reply)
    expect(await reply.usage).toEqual({ inputTokens: 2, outputTokens: 4, reportedPicoUsd: 20 })
    const costs = [10, undefined]
    const unknown = setting([OWN, [[STOP]]], {
      priced: usage => {
        const costPicoUsd = costs.shift()
        return costPicoUsd === undefined ? usage : { ...usage, costPicoUsd }
      },
    })
    const other = await unknown.run()
    await collect(other)
    expect(await other.usage).toEqual({ inputTokens: 2, outputTokens: 4, billed: { unit: 'unknown' } })
  })

  it('gives each round after the first a budget of attempts of its own, and a stream as much time again', async () => {
    const { run, asked, clock } = setting([OWN, [[STOP]]])
    await collect(await run({ stream: true, startedAt: clock.now(), deadlineAt: clock.now() + 30_000 }))
    expect(asked[1]?.attempts).not.toBe(asked[0]?.attempts)
    expect(asked[1]?.deadlineAt).toBe(clock.now() + 30_000)
    const whole = setting([OWN, [[STOP]]])
    await collect(await whole.run({ startedAt: 0, deadlineAt: 7 }))
    expect(whole.asked[1]?.deadlineAt).toBe(7)
  })

  it('asks for no more tools after its deadline', async () => {
    const rounds = [OWN, OWN, [[...text('Enough.'), STOP]]]
    const { run, asked, clock } = setting(rounds, {
      runner: {
        run: async () => {
          await clock.advance(20_000)
          return ranAt(clock.now())
        },
      },
    })
    await collect(await run({ stream: true, startedAt: clock.now(), deadlineAt: clock.now() + 30_000 }))
    expect(asked.map(({ parameters }) => parameters?.toolChoice?.type)).toEqual([
      undefined,
      undefined,
      'none',
    ])
  })

  it('closes the round in progress when its reader leaves, also unread, and settles the usage', async () => {
    for (const reads of [0, 1]) {
      const { run, closed } = setting([[[...text('a')], [...text('b')], [STOP]]])
      const reply = await run()
      const events = reply.events[Symbol.asyncIterator]()
      for (let index = 0; index < reads; index += 1) await events.next()
      await events.return?.()
      expect(closed).toEqual([0])
      expect(await reply.usage).toMatchObject({ outputTokens: 2 })
    }
  })

  it('ends with an error where a later round fails, with the usage so far', async () => {
    const { run, asked } = setting([OWN, [[{ type: 'error', error: new Error('x') as never }]]])
    const reply = await run()
    expect((await collect(reply)).at(-1)?.type).toBe('error')
    expect(asked.length).toBe(2)
    expect(await reply.usage).toMatchObject({ outputTokens: 4 })
  })

  it('runs at most 16 calls of a round, 4 at a time', async () => {
    let [now, most] = [0, 0]
    const { run } = setting(
      [[Array.from({ length: 20 }, (_, index) => calling(index, `c${index}`, 'weather')), [CALLS]], [[STOP]]],
      {
        runner: {
          run: async () => {
            now += 1
            most = Math.max(most, now)
            await new Promise(resolve => setImmediate(resolve))
            now -= 1
            return ranAt(0)
          },
        },
      },
    )
    const found = await collect(await run())
    const states = found.flatMap(event => (event.type === 'tool' ? event.state : []))
    expect(states.filter(state => state === 'done').length).toBe(16)
    expect(states.filter(state => state === 'failed').length).toBe(4)
    expect(most).toBe(4)
  })

  it('numbers the client’s calls from 0, whatever stands before them', async () => {
    const { run } = setting([
      [
        [
          calling(0, 'a', 'weather'),
          calling(1, 'b', 'theirs'),
          calling(2, 'c', 'weather'),
          calling(3, 'd', 'other'),
        ],
        [CALLS],
      ],
    ])
    const found = await collect(await run())
    const calls = found.flatMap(event => (event.type === 'tool-call-delta' ? [[event.index, event.id]] : []))
    expect(calls).toEqual([
      [0, 'b'],
      [1, 'd'],
    ])
  })

  it('puts a kept turn back for the same caller alone', async () => {
    const { run, asked, deps } = setting([
      [[...text('Both. '), calling(0, 'a', 'weather'), calling(1, 'b', 'theirs', '{"x":1}')], [CALLS]],
    ])
    await collect(await run())
    const messages = [
      { role: 'user', content: 'Hello' },
      {
        role: 'assistant',
        content: 'Both. ',
        toolCalls: [{ id: 'b', name: 'theirs', arguments: '{ "x": 1 }' }],
      },
      { role: 'tool', toolCallId: 'b', content: 'found' },
    ] as const
    await collect(await run({ messages }))
    expect(asked[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool'])
    const stranger = { kind: 'anonymous', address: '192.0.2.9' } as const
    expect(await deps.turns.resumed(stranger, messages)).toEqual(messages)
    const changed = messages.map(message =>
      message.role === 'assistant'
        ? { ...message, toolCalls: [{ id: 'b', name: 'theirs', arguments: '{"x":2}' }] }
        : message,
    )
    expect(await deps.turns.resumed(newCall().caller, changed)).toEqual(changed)
  })

  it('puts a kept turn back where guardrails have redacted the arguments that the client knows', async () => {
    const written = '{"to": "carol@example.com", "amount": 4111111111111111, "note": "for [A] and b"}'
    const { run, deps } = setting([
      [[calling(0, 'a', 'weather'), calling(1, 'b', 'theirs', written)], [CALLS]],
    ])
    await collect(await run())
    const resumed = async (sent: string, id = 'b', name = 'theirs') => {
      const messages = [
        { role: 'assistant', content: '', toolCalls: [{ id, name, arguments: sent }] },
        { role: 'tool', toolCallId: id, content: 'found' },
      ] as const
      return (await deps.turns.resumed(newCall().caller, messages)).length > 2
    }
    const redacted = '{"amount":"[CARD]","to":"[EMAIL_1]","note":"for [A] and b"}'
    expect(await resumed(redacted)).toBe(true)
    expect(await resumed('{"to":"To [EMAIL]","amount":"[CARD]","note":"for [A] and b"}')).toBe(false)
    expect(await resumed('{"to":"[EMAIL]","amount":1,"note":"for [A] and b"}')).toBe(false)
    expect(await resumed(redacted.replace('for', 'to'))).toBe(false)
    expect(await resumed(redacted, 'c')).toBe(false)
    expect(await resumed(redacted, 'b', 'other')).toBe(false)
  })
})
