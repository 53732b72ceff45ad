import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import type { ReplyEvent } from '#lib/llm/types.ts'
import { text } from '../../support/calls.ts'
import { client, streamsSetting, textOf } from '../../support/resumable.ts'

const FINISH: ReplyEvent = { type: 'finish', reason: 'stop' }
const CALLER = { kind: 'anonymous', address: '192.0.2.1' } as const
const guest = (id: string) => ({ kind: 'guest', id, address: '192.0.2.1' }) as const
const somebody = () => new AbortController().signal
const dataOf = (frames: string, event: string): Record<string, unknown> =>
  JSON.parse(frames.match(new RegExp(`event: ${event}\ndata: (.*)`))?.[1] ?? 'null')

describe('a stream that outlives its connection', () => {
  it('is written to its end while no client reads as fast as it comes', async () => {
    const { start } = streamsSetting()
    const { stream, upstream, written } = await start()
    const reading = stream.read(0, somebody())
    for (let piece = 0; piece < 500; piece += 1) upstream.say(...text('word '))
    upstream.say(FINISH)
    await written
    const frames = await textOf(reading)
    expect(frames.match(/event: delta/g)).toHaveLength(500)
    expect(frames).toMatch(/\nid: 502\nevent: done\n.*\n\n$/)
  })

  it('goes on for its grace when its last reader has left, then leaves the upstream', async () => {
    const { start, clock } = streamsSetting()
    const { stream, upstream, call, written } = await start()
    const [one, other] = [client(), client()]
    stream.read(0, one.signal)
    stream.read(0, other.signal)
    one.leave()
    await clock.advance(60_000)
    expect(upstream.call.signal.aborted).toBe(false)
    other.leave()
    await clock.advance(14_999)
    expect(upstream.call.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(upstream.call.signal.reason).toMatchObject({ code: 'CLIENT_GONE' })
    await written
    expect(dataOf(await textOf(stream.read(0, somebody())), 'error')).toMatchObject({
      error: { code: 'CLIENT_GONE' },
    })
    expect(call.signal.aborted).toBe(false)
  })

  it('ends the grace period when a client comes back in time', async () => {
    const { start, clock } = streamsSetting()
    const { stream, upstream, written } = await start()
    const first = client()
    stream.read(0, first.signal)
    first.leave()
    await clock.advance(14_000)
    const back = stream.read(0, somebody())
    await clock.advance(60_000)
    upstream.say(...text('late'), FINISH)
    await written
    expect(await textOf(back)).toContain('late')
  })

  it('without a grace ends with its last reader', async () => {
    const { start, clock } = streamsSetting({ graceMs: 0 })
    const { stream, upstream } = await start()
    const reader = client()
    stream.read(0, reader.signal)
    reader.leave()
    expect(upstream.call.signal.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer but the one that forgets it', async () => {
    const { start, clock, streams } = streamsSetting()
    const { stream, upstream, written } = await start()
    const reader = client()
    stream.read(0, reader.signal)
    reader.leave()
    upstream.say(FINISH)
    await written
    expect(clock.pending).toBe(1)
    await clock.advance(300_001)
    expect(streams.find(stream.id, CALLER)).toBeUndefined()
    await clock.advance(300_000)
    expect([streams.kept, clock.pending]).toEqual([0, 0])
  })

  it('ends with an event that says why the gateway aborted it, also for clients that come later', async () => {
    const { start, streams } = streamsSetting()
    const context = new AbortController()
    const { stream, written } = await start({ signal: context.signal })
    context.abort(new GatewayError('SHUTTING_DOWN'))
    await written
    const late = streams.find(stream.id, CALLER)?.read(0, somebody())
    expect(dataOf(await textOf(late as AsyncIterable<Uint8Array>), 'error')).toMatchObject({
      error: { code: 'SHUTTING_DOWN' },
    })
  })
})

describe('stopping', () => {
  it('leaves the upstream at once, keeps the text, and ends the stream as done', async () => {
    const { start, clock } = streamsSetting()
    const { stream, upstream, written } = await start()
    const reading = stream.read(0, somebody())
    upstream.say(...text('Half an '))
    upstream.say(...text('ans'))
    await clock.advance(0)
    stream.stop()
    expect(upstream.call.signal.aborted).toBe(true)
    expect([stream.stopped, stream.content]).toEqual([true, 'Half an ans'])
    upstream.say(...text('wer'), FINISH)
    await written
    const frames = await textOf(reading)
    expect(dataOf(frames, 'done')).toMatchObject({ finishReason: 'stopped', truncated: false })
    expect(frames).not.toContain('wer"')
    expect(frames).not.toContain('event: error')
    expect(stream.content).toBe('Half an ans')
  })

  it('does the same twice, and nothing where the answer is complete', async () => {
    const { start } = streamsSetting()
    const stopped = await start()
    stopped.stream.stop()
    await stopped.written
    stopped.stream.stop()
    expect(stopped.stream.stopped).toBe(true)

    const complete = await start()
    complete.upstream.say(...text('All'), FINISH)
    await complete.written
    complete.stream.stop()
    expect(complete.stream.stopped).toBe(false)
    expect(complete.upstream.call.signal.aborted).toBe(false)
    expect(complete.stream.content).toBe('All')
  })
})

describe('the streams that are kept', () => {
  it('are found by their owner alone', async () => {
    const { start, streams } = streamsSetting()
    const { stream } = await start({ caller: { kind: 'guest', id: 'ada', address: '192.0.2.1' } })
    expect(streams.find(stream.id, guest('ada'))).toBe(stream)
    expect(streams.find(stream.id, guest('bob'))).toBeUndefined()
    expect(streams.find(stream.id, CALLER)).toBeUndefined()
    expect(streams.find(stream.id, { kind: 'anonymous', address: 'unknown' })).toBeUndefined()
  })

  it('are never more than there is room for: one more is an ordinary answer', async () => {
    const { start, ask, streams } = streamsSetting({ most: 2 })
    const first = await start()
    await start()
    const refused = await ask()
    expect(refused.reply.head.resumable).toBeUndefined()
    expect(streams.live).toBe(2)
    first.upstream.say(FINISH)
    await first.written
    expect((await ask()).reply.head.resumable).toBe(true)
  })

  it('take no more memory than allowed: what was longest unused goes', async () => {
    const { start, streams } = streamsSetting({ mostBytes: 20_000 })
    const ended = []
    for (let number = 0; number < 10; number += 1) {
      const { stream, upstream, written } = await start()
      upstream.say(...text('x'.repeat(1_000)), FINISH)
      await written
      ended.push(stream)
      streams.find(ended[0]?.id ?? '', CALLER)
    }
    const kept = ended.filter(({ id }) => streams.find(id, CALLER))
    expect(kept.reduce((bytes, { size }) => bytes + size, 0)).toBeLessThanOrEqual(20_000)
    expect(kept.length).toBeGreaterThan(2)
    expect(kept[0]).toBe(ended[0])
    expect(kept.at(-1)).toBe(ended.at(-1))
  })

  it('are forgotten after a thousand of them as after one', async () => {
    const { start, streams, clock } = streamsSetting()
    for (let number = 0; number < 1_000; number += 1) {
      const { upstream, written } = await start()
      upstream.say(...text('word '), FINISH)
      await written
    }
    expect([streams.live, streams.kept]).toEqual([0, 10])
    await clock.advance(600_000)
    expect([streams.live, streams.kept, clock.pending]).toEqual([0, 0, 0])
  })

  it('are kept and forgotten also where one broke before its first frame', async () => {
    const { ask, streams, clock } = streamsSetting()
    const { reply } = await ask()
    const stream = streams.opened(reply)
    const broken = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('a bug')) }) }
    await expect(stream?.write(broken)).rejects.toThrow('a bug')
    expect([streams.live, streams.kept]).toEqual([0, 1])
    await clock.advance(600_000)
    expect(streams.kept).toBe(0)
  })

  it('open no further one while those under way take all the memory', async () => {
    const { start, ask } = streamsSetting({ mostBytes: 20_000 })
    const { upstream, written, stream } = await start()
    upstream.say(...text('x'.repeat(30_000)))
    await expect.poll(() => stream.content.length).toBe(30_000)
    expect((await ask()).reply.head.resumable).toBeUndefined()
    stream.stop()
    await written
    expect((await ask()).reply.head.resumable).toBe(true)
  })

  it('have no owner where the caller cannot be identified', async () => {
    const { ask } = streamsSetting()
    const caller = { kind: 'anonymous', address: 'unknown' } as const
    expect((await ask({ caller })).reply.head.resumable).toBeUndefined()
  })

  it('get an id of their own where the answer’s is taken', async () => {
    const { streams } = streamsSetting()
    const opening = { id: 'chat_again', owner: 'address 192.0.2.1', abort: () => {} }
    const [first, second] = [streams.open(opening), streams.open(opening)]
    expect(first?.id).toBe('chat_again')
    expect(second?.id).not.toBe('chat_again')
    expect(streams.find(second?.id ?? '', CALLER)).toBe(second)
  })
})
