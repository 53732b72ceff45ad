import { describe, expect, it } from 'vitest'
import { cache } from '#lib/cache/policy.ts'
import { GatewayError } from '#lib/errors.ts'
import type { Call, ReplyEvent } from '#lib/llm/types.ts'
import { newJournal } from '#lib/request-context.ts'
import { memoryKeyValue } from '#lib/storage/memory.ts'
import type { KeyValue } from '#lib/storage/types.ts'
import { ANSWER, cacheSetting, FINISH, SHORT_ANSWER, TTL_MS } from '../../support/cache-setting.ts'
import { batches, collect, newCall, replyOf, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('cache', () => {
  it('repeats a complete answer to the same question', async () => {
    const { answered, calls } = cacheSetting()
    expect(await answered()).toEqual({ cache: 'miss', events: ANSWER })
    expect(await answered()).toEqual({ cache: 'hit', events: SHORT_ANSWER })
    expect(await answered({ stream: true })).toMatchObject({ cache: 'hit' })
    expect(calls).toHaveLength(1)
  })

  it.each<[string, Partial<Call>]>([
    ['another caller', { caller: { kind: 'guest', id: 'ada', address: '192.0.2.1' } }],
    ['another address', { caller: { kind: 'anonymous', address: '192.0.2.2' } }],
    ['another model', { model: 'fake/other' }],
    ['another temperature', { temperature: 0 }],
    ['another length', { maxOutputTokens: 5 }],
    ['other tools', { parameters: { tools: [{ name: 'now' }] } }],
    [
      'another body that passes on',
      { raw: { format: 'openai-chat', json: '{"seed":1.0}', members: [['seed', '1.0']] } },
    ],
    ['other words', { messages: [{ role: 'user', content: 'hello' }] }],
    ['another role', { messages: [{ role: 'system', content: 'Hello' }] }],
    [
      'the same words cut otherwise',
      {
        messages: [
          { role: 'user', content: 'He' },
          { role: 'user', content: 'llo' },
        ],
      },
    ],
  ])('does not repeat it for %s', async (_, changes) => {
    const { answered, calls } = cacheSetting()
    await answered()
    expect((await answered(changes)).cache).toBe('miss')
    expect(calls).toHaveLength(2)
  })

  it('repeats reasoning, tool calls, and what the upstream sent as it was', async () => {
    const { ask, answer, answered, calls } = cacheSetting()
    const wire = (json: string): ReplyEvent => ({ type: 'wire', format: 'openai-chat', json })
    const events: ReplyEvent[] = [
      wire('{"a":1.0}'),
      { type: 'reasoning-delta', text: 'Hm.', signature: 's' },
      { type: 'reasoning-delta', text: '', redacted: 'AAAA' },
      wire('{"b":2}'),
      { type: 'tool-call-delta', index: 0, id: 'a', name: 'now', arguments: '{}' },
      { type: 'finish', reason: 'tool_calls', raw: 'tool_calls' },
    ]
    const reply = await ask()
    answer(...events)
    expect(await collect(reply)).toEqual(events)
    expect(await answered()).toEqual({ cache: 'hit', events })
    expect(calls).toHaveLength(1)
  })

  it('keeps apart one text as the body of two formats, and with other headers of the format', async () => {
    const { answered, calls } = cacheSetting()
    const raw = { json: '{}', members: [] } as const
    const beta = { 'anthropic-beta': 'one' }
    const bodies = [
      { ...raw, format: 'openai-chat' },
      { ...raw, format: 'anthropic-messages' },
      { ...raw, format: 'anthropic-messages', headers: beta },
      { ...raw, format: 'anthropic-messages', headers: { 'anthropic-beta': 'two' } },
    ] as const
    for (const body of bodies) expect((await answered({ raw: body })).cache).toBe('miss')
    for (const body of bodies) expect((await answered({ raw: body })).cache).toBe('hit')
    expect(calls).toHaveLength(bodies.length)
  })

  it('looks up no body that is longer than a megabyte', async () => {
    const { answered } = cacheSetting()
    const raw = { format: 'openai-chat', json: 'x'.repeat(1_048_577), members: [] } as const
    expect((await answered({ raw })).cache).toBe('bypass')
  })

  it('repeats nothing to a caller whose address is unknown', async () => {
    const { answered, calls } = cacheSetting()
    const caller = { kind: 'anonymous', address: 'unknown' } as const
    await answered({ caller })
    expect((await answered({ caller })).cache).toBe('bypass')
    expect(calls).toHaveLength(2)
  })

  it('forgets it after its time', async () => {
    const { answered, clock } = cacheSetting()
    await answered()
    await clock.advance(TTL_MS)
    expect((await answered()).cache).toBe('hit')
    await clock.advance(1)
    expect((await answered()).cache).toBe('miss')
  })

  it('asks anew and stores the new answer with refresh', async () => {
    const { ask, answer, answered } = cacheSetting()
    await answered()
    const reply = await ask({ cache: 'refresh' })
    answer(...text('new'), FINISH)
    await collect(reply)
    expect(await answered()).toEqual({ cache: 'hit', events: [...text('new'), FINISH] })
  })

  it('neither reads nor stores with no-store', async () => {
    const { answered } = cacheSetting()
    await answered({ cache: 'no-store' })
    expect((await answered()).cache).toBe('miss')
    expect((await answered({ cache: 'no-store' })).cache).toBe('bypass')
  })

  it.each<[string, readonly ReplyEvent[]]>([
    ['an answer that failed', [...text('one '), { type: 'error', error: new GatewayError('NETWORK') }]],
    ['an answer without an end', text('one ')],
    ['a filtered answer', [...text('one '), { type: 'finish', reason: 'content_filter' }]],
    ['an answer that calls a tool', [...text('one '), { type: 'finish', reason: 'tool_calls' }]],
    ['an answer that ended for reasons unknown', [...text('one '), { type: 'finish', reason: 'other' }]],
    ['an empty answer', [FINISH]],
    ['an answer larger than its share', [...text('x'.repeat(100_001)), FINISH]],
    ['an answer whose bytes are more than its share', [...text('é'.repeat(50_001)), FINISH]],
  ])('keeps nothing of %s', async (_, events) => {
    const { ask, answer, answered } = cacheSetting()
    const reply = await ask()
    answer(...events)
    await collect(reply)
    expect((await answered()).cache).toBe('miss')
  })

  it('asks once for five hundred who ask the same at once, and gives all the same answer', async () => {
    const { ask, answer, calls } = cacheSetting()
    const replies = await Promise.all(Array.from({ length: 500 }, () => ask({ stream: true })))
    answer(...ANSWER)
    for (const events of await Promise.all(replies.map(collect))) expect(events).toEqual(ANSWER)
    expect(calls).toHaveLength(1)
    expect(replies.filter(({ head }) => head.cache === 'miss')).toHaveLength(1)
  })

  it.each([
    ['none', false],
    ['an old one', true],
  ])('asks once where an answer is stored while a look-up that began before finds %s', async (_, hasOld) => {
    const memory = memoryKeyValue(1_000_000, new FakeClock())
    const released = Promise.withResolvers<void>()
    const looked = Promise.withResolvers<void>()
    let isSlow = false
    const store: KeyValue = {
      ...memory,
      get: async key => {
        const found = await memory.get(key)
        if (!isSlow) return found
        looked.resolve()
        await released.promise
        return found
      },
    }
    const settings = { staleIfErrorSeconds: 60 }
    const { clock, ask, answer, answered, calls } = cacheSetting({ store, settings })
    if (hasOld) await answered({}, [...text('old'), FINISH])
    if (hasOld) await clock.advance(TTL_MS + 1)
    const before = calls.length
    const first = await ask()
    isSlow = true
    const second = ask()
    await looked.promise
    isSlow = false
    answer(...ANSWER)
    await collect(first)
    released.resolve()
    expect(await collect(await second)).toEqual(SHORT_ANSWER)
    expect((await second).head.cache).toBe('hit')
    expect(calls).toHaveLength(before + 1)
  })

  it('gives a caller that joins late what has come already', async () => {
    const { ask, answer, calls } = cacheSetting()
    const first = (await ask()).events[Symbol.asyncIterator]()
    calls[0]?.say(...text('one '))
    await first.next()
    const second = await ask()
    answer(...text('two ', 'three'), FINISH)
    expect(await collect(second)).toEqual(ANSWER)
  })

  it('goes on for the others when the first one leaves, and keeps their answer', async () => {
    const { ask, answer, answered, calls } = cacheSetting()
    const leader = new AbortController()
    const first = (await ask({ signal: leader.signal })).events[Symbol.asyncIterator]()
    const second = await ask()
    calls[0]?.say(...text('one '))
    await first.next()
    leader.abort(new GatewayError('CLIENT_GONE'))
    expect(await first.next()).toMatchObject({ value: [{ type: 'error', error: { code: 'CLIENT_GONE' } }] })
    expect(calls[0]?.call.signal.aborted).toBe(false)
    answer(...text('two ', 'three'), FINISH)
    expect(await collect(second)).toEqual(ANSWER)
    expect((await answered()).cache).toBe('hit')
  })

  it('leaves the upstream with the last one who leaves', async () => {
    const { ask, calls } = cacheSetting()
    const clients = [new AbortController(), new AbortController()]
    const readers = []
    for (const { signal } of clients) readers.push((await ask({ signal })).events[Symbol.asyncIterator]())
    const pending = readers.map(reader => reader.next())
    clients[0]?.abort(new GatewayError('CLIENT_GONE'))
    await pending[0]
    expect(calls[0]?.call.signal.aborted).toBe(false)
    clients[1]?.abort(new GatewayError('CLIENT_GONE'))
    await pending[1]
    expect(calls[0]?.call.signal.aborted).toBe(true)
    await expect.poll(() => calls[0]?.left).toBe(true)
    expect((await ask()).head.cache).toBe('miss')
    expect(calls).toHaveLength(2)
  })

  it('tells a failure before the first content to all who wait, and asks anew afterwards', async () => {
    const { ask, failWith, calls } = cacheSetting()
    failWith(new GatewayError('NETWORK'))
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => ask()))
    expect(outcomes).toEqual(
      Array(5).fill({ status: 'rejected', reason: expect.objectContaining({ code: 'NETWORK' }) }),
    )
    expect(calls).toHaveLength(1)
    await expect(ask()).rejects.toMatchObject({ code: 'NETWORK' })
    expect(calls).toHaveLength(2)
  })

  it('writes down the time that looking took, found or not', async () => {
    const clock = new FakeClock()
    const memory = memoryKeyValue(1_000_000, clock)
    const slow: KeyValue = {
      ...memory,
      get: async key => {
        await clock.advance(30)
        return memory.get(key)
      },
    }
    const { answered } = cacheSetting({ store: slow, clock })
    const journals = [newJournal(), newJournal()]
    const found: string[] = []
    for (const journal of journals) found.push((await answered({ journal })).cache)
    expect(found).toEqual(['miss', 'hit'])
    // The first one reads what has been invalidated, too.
    expect(journals.map(({ waits }) => waits)).toEqual([{ cache: 60 }, { cache: 30 }])
    const unasked = newJournal()
    await answered({ journal: unasked, cache: 'no-store' })
    expect(unasked.waits).toBeUndefined()
  })

  it('is asked nothing where it is switched off', async () => {
    const reply = await cache(undefined)(newCall(), async () => replyOf(batches(ANSWER)))
    expect(reply.head).toMatchObject({ cache: 'bypass', cacheTrace: { forwarded: 'bypass' } })
    expect(await collect(reply)).toEqual(ANSWER)
  })
})
