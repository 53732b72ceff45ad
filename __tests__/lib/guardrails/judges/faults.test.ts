import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JudgeSettings } from '#lib/guardrails/judges/registry.ts'
import { failsClosed } from '#lib/guardrails/judges/types.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { type Answer, FakeService, json } from '../../../support/fake-service.ts'
import { ask, bodyOf, moderationOf, newJudges, said } from '../../../support/judges.ts'

let service: FakeService
beforeEach(async () => {
  service = await FakeService.start()
})
afterEach(() => service.stop())

const KEY = 'sk-operator-secret'
const settings = (changes: object = {}): JudgeSettings => ({
  type: 'openai-moderation',
  name: 'safety',
  baseUrl: service.url,
  apiKey: KEY,
  ...changes,
})
const answers = (answer: Answer) => service.on('/v1/moderations', answer)
const moderates: Answer = (response, received) =>
  json(moderationOf(bodyOf(received).input as string[]))(response, received)

describe('a judge that misbehaves', () => {
  it.each<[string, string, Answer]>([
    ['answers with HTML', 'bad-answer', response => void response.end('<html>safe</html>')],
    ['answers with JSON of another form', 'bad-answer', json({ results: 'none' })],
    [
      'answers with wrong types',
      'bad-answer',
      json({ results: [{ categories: { a: 'no' }, category_scores: {} }] }),
    ],
    ['answers for another number of texts', 'bad-answer', json({ results: [] })],
    [
      'answers with a score of 7',
      'bad-answer',
      json({ results: [{ categories: {}, category_scores: { a: 7 } }] }),
    ],
    ['answers with nothing', 'bad-answer', response => void response.end()],
    ['answers with 204', 'bad-answer', response => void response.writeHead(204).end()],
    ['redirects', 'bad-answer', response => void response.writeHead(307, { location: '/elsewhere' }).end()],
    [
      'compresses',
      'bad-answer',
      response => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    ],
    ['fails', 'error', json({ trace: 'x' }, 500)],
    ['refuses the key', 'refused', json({ error: `key ${KEY} is wrong` }, 401)],
    ['is busy', 'busy', json({}, 429)],
    [
      'ends in the middle',
      'network',
      response => {
        response.writeHead(200, { 'content-length': '1000' }).write('{')
        setImmediate(() => response.destroy())
      },
    ],
  ])('%s is unavailable (%s), and never safe', async (_, reason, answer) => {
    answers(answer)
    const { judgeOf, reports } = newJudges()
    const result = await ask(judgeOf(settings()), said('a text'))
    expect(result).toEqual({ state: 'unavailable', reason, verdicts: [[]] })
    expect(reports).toMatchObject([{ judge: 'safety', outcome: reason, pieces: 1, cached: 0 }])
    expect(JSON.stringify([result, reports])).not.toMatch(/sk-|a text|127\.0\.0\.1/)
    expect(service.of('/elsewhere')).toEqual([])
  })

  it('fails open or closed as configured, and only without a verdict', async () => {
    const { judgeOf } = newJudges()
    answers(json({}, 500))
    const closed = judgeOf(settings({ failMode: 'closed' }))
    const open = judgeOf(settings({ failMode: 'open' }))
    expect(failsClosed(closed, await ask(closed, said('x')))).toBe(true)
    expect(failsClosed(open, await ask(open, said('x')))).toBe(false)
    answers(moderates)
    expect(failsClosed(closed, await ask(closed, said('violence')))).toBe(false)
    expect(judgeOf(settings()).failMode).toBe('open')
  })

  it('is slow ends at its time of 200 ms, the connection closed', async () => {
    answers(() => {})
    const startedAt = performance.now()
    const result = await ask(newJudges().judgeOf(settings({ timeoutMs: 200 })), said('x'))
    const tookMs = performance.now() - startedAt
    expect(result).toMatchObject({ state: 'unavailable', reason: 'timeout' })
    expect(tookMs).toBeGreaterThan(190)
    expect(tookMs).toBeLessThan(1_000)
    await expect.poll(() => service.abandoned).toBe(1)
  })

  it('is slow in the middle of its answer ends there too, and is not asked after five of these', async () => {
    answers(response => void response.writeHead(200).write('{"results":'))
    const judge = newJudges().judgeOf(settings({ timeoutMs: 50 }))
    for (let at = 0; at < 5; at += 1)
      expect(await ask(judge, said(`x${at}`))).toMatchObject({ reason: 'timeout' })
    expect(await ask(judge, said('x5'))).toMatchObject({ reason: 'circuit-open' })
    await expect.poll(() => service.abandoned).toBe(5)
  })

  it('is not there is a failure of the network', async () => {
    const judge = newJudges().judgeOf(settings({ baseUrl: 'http://127.0.0.1:1' }))
    expect(await ask(judge, said('x'))).toMatchObject({ state: 'unavailable', reason: 'network' })
  })

  it('has 800 ms where no time is configured', async () => {
    const clock = new FakeClock()
    const arrived = Promise.withResolvers<void>()
    answers(() => arrived.resolve())
    const asked = ask(newJudges(clock).judgeOf(settings()), said('x'))
    await arrived.promise
    await clock.advance(799)
    expect(await Promise.race([asked, Promise.resolve('waiting')])).toBe('waiting')
    await clock.advance(1)
    expect(await asked).toMatchObject({ reason: 'timeout' })
  })

  it('never ends its answer is read for about 256 kB, and its connection closed', async () => {
    let sent = 0
    answers(response => {
      const chunk = Buffer.alloc(65_536, 0x20)
      response.writeHead(200)
      const write = () => {
        while (!response.destroyed) {
          sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', write)
        }
      }
      write()
    })
    const result = await ask(newJudges().judgeOf(settings({ timeoutMs: 10_000 })), said('x'))
    expect(result).toMatchObject({ reason: 'bad-answer' })
    await expect.poll(() => service.abandoned).toBe(1)
    // What the sockets of both sides buffer comes on top.
    expect(sent).toBeLessThan(20_000_000)
  })

  it('is down is asked five times, and then not for 30 s; a probe that succeeds closes the circuit', async () => {
    const clock = new FakeClock()
    const { judgeOf, runtime, circuits } = newJudges(clock)
    const judge = judgeOf(settings())
    answers(json({}, 500))
    for (let at = 0; at < 5; at += 1)
      expect(await ask(judge, said(`x${at}`))).toMatchObject({ reason: 'error' })
    expect(await ask(judge, said('x5'))).toMatchObject({ reason: 'circuit-open' })
    expect(service.received).toHaveLength(5)
    expect(runtime.circuits().get('safety')).toMatchObject({ state: 'open', nextProbeInMs: 30_000 })
    answers(moderates)
    await clock.advance(30_000)
    expect(await ask(judge, said('violence'))).toMatchObject({ state: 'complete', verdicts: [[{}]] })
    expect(circuits).toEqual(['safety open', 'safety half-open', 'safety closed'])
  })

  it('is asked by a reloaded configuration with the circuit it has, and with another one when its settings change', async () => {
    const { judgeOf } = newJudges()
    answers(json({}, 500))
    for (let at = 0; at < 5; at += 1) await ask(judgeOf(settings()), said(`x${at}`))
    expect(await ask(judgeOf(settings()), said('y'))).toMatchObject({ reason: 'circuit-open' })
    expect(await ask(judgeOf(settings({ model: 'other' })), said('y'))).toMatchObject({ reason: 'error' })
  })

  it('is busy is not asked for as long as it says, which is no failure', async () => {
    const clock = new FakeClock()
    const judge = newJudges(clock).judgeOf(settings())
    answers(response => void response.writeHead(429, { 'retry-after': '7' }).end())
    expect(await ask(judge, said('x'))).toMatchObject({ reason: 'busy' })
    expect(await ask(judge, said('x'))).toMatchObject({ reason: 'circuit-open' })
    answers(moderates)
    await clock.advance(7_000)
    expect(await ask(judge, said('x'))).toMatchObject({ state: 'complete' })
  })

  it('keeps what one piece of a long text showed when another piece fails', async () => {
    service.on('/v1/chat/completions', (response, received) =>
      received.body.includes('marked')
        ? json({ choices: [{ message: { content: 'unsafe\nS1' } }] })(response, received)
        : json({}, 500)(response, received),
    )
    const judge = newJudges().judgeOf({ type: 'llama-guard', baseUrl: service.url, model: 'guard' })
    expect(await ask(judge, said(`marked ${'x'.repeat(5_000)}`))).toMatchObject({
      state: 'unavailable',
      reason: 'error',
      verdicts: [[{ rule: 'S1', start: 0, end: 4_000 }]],
    })
  })
})

describe('a client that leaves', () => {
  it('aborts the request of the judge, which is no failure of it', async () => {
    const { judgeOf, reports, runtime } = newJudges()
    const judge = judgeOf(settings({ timeoutMs: 30_000 }))
    for (let at = 0; at < 6; at += 1) {
      const arrived = Promise.withResolvers<void>()
      answers(() => arrived.resolve())
      const client = new AbortController()
      const asked = ask(judge, said(`x${at}`), client.signal)
      await arrived.promise
      client.abort(new Error('gone'))
      await expect(asked).rejects.toThrow('gone')
    }
    await expect.poll(() => service.abandoned).toBe(6)
    expect(reports.map(({ outcome }) => outcome)).toEqual(Array(6).fill('aborted'))
    expect(runtime.circuits().get('safety')).toEqual({ state: 'closed' })
  })

  it('does not take the verdict from another that waits for the same request', async () => {
    const { judgeOf } = newJudges()
    const judge = judgeOf(settings({ timeoutMs: 30_000 }))
    const arrived = Promise.withResolvers<() => void>()
    answers((response, received) => arrived.resolve(() => moderates(response, received)))
    const client = new AbortController()
    const first = ask(judge, said('violence'), client.signal)
    const second = ask(judge, said('violence'))
    const finish = await arrived.promise
    client.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    finish()
    expect(await second).toMatchObject({ state: 'complete', verdicts: [[{ kind: 'violence' }]] })
    expect(service.received).toHaveLength(1)
    expect(service.abandoned).toBe(0)
  })
})

describe('verdicts in memory', () => {
  beforeEach(() => answers(moderates))

  it('are asked for once when the same text comes again, for 10 minutes', async () => {
    const clock = new FakeClock()
    const { judgeOf, reports } = newJudges(clock)
    const judge = judgeOf(settings())
    const first = await ask(judge, said('violence'))
    await clock.advance(599_999)
    expect(await ask(judge, said('violence'))).toEqual(first)
    expect(service.received).toHaveLength(1)
    expect(reports).toMatchObject([{ cached: 0 }, { outcome: 'found', pieces: 1, cached: 1 }])
    await clock.advance(1)
    await ask(judge, said('violence'))
    expect(service.received).toHaveLength(2)
  })

  it('are asked for once for 20 calls at the same time', async () => {
    const judge = newJudges().judgeOf(settings())
    await Promise.all(Array.from({ length: 20 }, () => ask(judge, said('violence', 'violence'))))
    expect(service.received.map(bodyOf)).toMatchObject([{ input: ['violence'] }])
  })

  it('serve the texts of a conversation that grows: only the new one is sent', async () => {
    const judge = newJudges().judgeOf(settings())
    await ask(judge, said('one', 'two'))
    await ask(judge, said('one', 'two', 'three'))
    expect(service.received.map(bodyOf).at(-1)).toMatchObject({ input: ['three'] })
  })

  it('do not serve a judge with other settings', async () => {
    const { judgeOf } = newJudges()
    await ask(judgeOf(settings()), said('violence'))
    const { verdicts } = await ask(judgeOf(settings({ thresholds: { violence: 0.99 } })), said('violence'))
    expect(verdicts).toEqual([[]])
  })

  it('are none of a failure, and none at all where that is configured', async () => {
    answers(json({}, 500))
    const { judgeOf } = newJudges()
    await ask(judgeOf(settings()), said('x'))
    answers(moderates)
    expect(await ask(judgeOf(settings()), said('x'))).toMatchObject({ state: 'complete' })
    const judge = judgeOf(settings({ cacheSeconds: 0 }))
    await ask(judge, said('y'))
    await ask(judge, said('y'))
    expect(service.received).toHaveLength(4)
  })

  it('have no key among what names the settings', () => {
    const { judgeOf } = newJudges()
    expect(judgeOf(settings({ apiKey: 'one' })).version).toBe(judgeOf(settings({ apiKey: 'two' })).version)
    expect(judgeOf(settings()).version).not.toBe(judgeOf(settings({ model: 'other' })).version)
  })
})

describe('many texts at once', () => {
  it('are at most so many requests in progress as are configured', async () => {
    let [inProgress, most] = [0, 0]
    service.on('/v1/chat/completions', async (response, received) => {
      inProgress += 1
      most = Math.max(most, inProgress)
      await new Promise(setImmediate)
      inProgress -= 1
      json({ choices: [{ message: { content: 'safe' } }] })(response, received)
    })
    const judge = newJudges().judgeOf({
      type: 'llama-guard',
      baseUrl: service.url,
      model: 'guard',
      concurrency: 3,
      timeoutMs: 10_000,
    })
    const texts = said(...Array.from({ length: 40 }, (_, at) => `text ${at}`))
    expect(await ask(judge, texts)).toMatchObject({ state: 'complete' })
    expect(service.received).toHaveLength(40)
    expect(most).toBeLessThanOrEqual(3)
  })

  it('are checked from the last one on, up to 256 pieces; the others count as not checked', async () => {
    answers(moderates)
    const texts = said('violence first', ...Array.from({ length: 256 }, (_, at) => `violence ${at}`))
    const result = await ask(newJudges().judgeOf(settings({ timeoutMs: 10_000 })), texts)
    expect(result).toMatchObject({ state: 'unavailable', reason: 'too-long' })
    expect(result.verdicts.map(({ length }) => length)).toEqual([0, ...Array(256).fill(1)])
  })
})
