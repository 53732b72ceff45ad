import { describe, expect, it } from 'vitest'
import { cache } from '#lib/cache/policy.ts'
import { GatewayError } from '#lib/errors.ts'
import type { Call, Reply, ReplyEvent } from '#lib/llm/types.ts'
import { memoryKeyValue } from '#lib/storage/memory.ts'
import { collect, newCall, replyOf, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const TTL_MS = 600_000
const FINISH: ReplyEvent = { type: 'finish', reason: 'stop' }
const ANSWER = [...text('one ', 'two ', 'three'), FINISH]
const SHORT_ANSWER = [...text('one two three'), FINISH]

const setting = () => {
  const clock = new FakeClock()
  const policy = cache({ store: memoryKeyValue(1_000_000, clock), ttlMs: TTL_MS, clock })
  const calls: { call: Call; left: boolean; say: (...events: ReplyEvent[]) => void; end: () => void }[] = []

  /** An upstream that says what it is told to. */
  const next = async (call: Call): Promise<Reply> => {
    const pending: (readonly ReplyEvent[])[] = []
    let wake = Promise.withResolvers<void>()
    let over = false
    const upstream = {
      call,
      left: false,
      say: (...events: ReplyEvent[]) => {
        pending.push(events)
        wake.resolve()
      },
      end: () => {
        over = true
        wake.resolve()
      },
    }
    calls.push(upstream)
    call.signal.addEventListener('abort', upstream.end)
    return replyOf(
      (async function* () {
        try {
          for (;;) {
            const batch = pending.shift()
            if (batch) yield batch
            else if (over) return
            else {
              wake = Promise.withResolvers<void>()
              await wake.promise
            }
          }
        } finally {
          upstream.left = true
        }
      })(),
    )
  }
  const ask = (changes: Partial<Call> = {}) => policy(newCall(changes), next)
  const answer = (...events: ReplyEvent[]) => {
    const upstream = calls.at(-1)
    for (const event of events) upstream?.say(event)
    upstream?.end()
  }
  /** Asks, and lets the upstream answer at once if it is reached. */
  const answered = async (changes: Partial<Call> = {}) => {
    const before = calls.length
    const reply = await ask(changes)
    if (calls.length > before) answer(...ANSWER)
    return { cache: reply.head.cache, events: await collect(reply) }
  }
  return { clock, ask, answer, answered, calls }
}

describe('cache', () => {
  it('repeats a complete answer to the same question', async () => {
    const { answered, calls } = setting()
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
    const { answered, calls } = setting()
    await answered()
    expect((await answered(changes)).cache).toBe('miss')
    expect(calls).toHaveLength(2)
  })

  it('repeats nothing to anybody whose address is unknown', async () => {
    const { answered, calls } = setting()
    const caller = { kind: 'anonymous', address: 'unknown' } as const
    await answered({ caller })
    expect((await answered({ caller })).cache).toBe('bypass')
    expect(calls).toHaveLength(2)
  })

  it('forgets it after its time', async () => {
    const { answered, clock } = setting()
    await answered()
    await clock.advance(TTL_MS)
    expect((await answered()).cache).toBe('hit')
    await clock.advance(1)
    expect((await answered()).cache).toBe('miss')
  })

  it('asks anew and keeps the new answer when told to refresh', async () => {
    const { ask, answer, answered } = setting()
    await answered()
    const reply = await ask({ cache: 'refresh' })
    answer(...text('new'), FINISH)
    await collect(reply)
    expect(await answered()).toEqual({ cache: 'hit', events: [...text('new'), FINISH] })
  })

  it('neither looks nor keeps when told no-store', async () => {
    const { answered } = setting()
    await answered({ cache: 'no-store' })
    expect((await answered()).cache).toBe('miss')
    expect((await answered({ cache: 'no-store' })).cache).toBe('bypass')
  })

  it.each<[string, readonly ReplyEvent[]]>([
    ['an answer that failed', [...text('one '), { type: 'error', error: new GatewayError('NETWORK') }]],
    ['an answer without an end', text('one ')],
  ])('keeps nothing of %s', async (_, events) => {
    const { ask, answer, answered } = setting()
    const reply = await ask()
    answer(...events)
    await collect(reply)
    expect((await answered()).cache).toBe('miss')
  })

  it('asks once for five hundred who ask the same at once, and gives all the same answer', async () => {
    const { ask, answer, calls } = setting()
    const replies = await Promise.all(Array.from({ length: 500 }, () => ask({ stream: true })))
    answer(...ANSWER)
    for (const events of await Promise.all(replies.map(collect))) expect(events).toEqual(ANSWER)
    expect(calls).toHaveLength(1)
    expect(replies.filter(({ head }) => head.cache === 'miss')).toHaveLength(1)
  })

  it('gives whoever joins late what has come already', async () => {
    const { ask, answer, calls } = setting()
    const first = (await ask()).events[Symbol.asyncIterator]()
    calls[0]?.say(...text('one '))
    await first.next()
    const second = await ask()
    answer(...text('two ', 'three'), FINISH)
    expect(await collect(second)).toEqual(ANSWER)
  })

  it('goes on for the others when the first one leaves, and keeps their answer', async () => {
    const { ask, answer, answered, calls } = setting()
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
    const { ask, calls } = setting()
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
    const clock = new FakeClock()
    const policy = cache({ store: memoryKeyValue(1_000_000, clock), ttlMs: TTL_MS, clock })
    let asked = 0
    const failing = async (): Promise<Reply> => {
      asked += 1
      await clock.advance(1)
      throw new GatewayError('NETWORK')
    }
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => policy(newCall(), failing)))
    expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
    expect(asked).toBe(1)
    await expect(policy(newCall(), failing)).rejects.toMatchObject({ code: 'NETWORK' })
    expect(asked).toBe(2)
  })
})
