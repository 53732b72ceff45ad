import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../support/fake-clock.ts'
import { type Answer, FakeService, json, openMeteoOn } from '../../support/fake-service.ts'
import { newRunner, servicesAt, toolNamed } from '../../support/tools.ts'

let service: FakeService
beforeEach(async () => {
  service = openMeteoOn(await FakeService.start())
})
afterEach(() => service.stop())

const HERE = { latitude: 52.5, longitude: 13.4 }
const weather = () => toolNamed(servicesAt(service.url), 'weather')

/** Something in the private network that must not be reached. */
let touched = 0
const inside = createServer((_, response) => {
  touched += 1
  response.end('{"current":{"temperature_2m":666}}')
})
let insidePort = 0
beforeAll(async () => {
  await new Promise<void>(resolve => inside.listen(0, '::', resolve))
  insidePort = (inside.address() as AddressInfo).port
})
afterAll(() => inside.close())

const redirect =
  (location: string, status = 302): Answer =>
  response =>
    void response.writeHead(status, { location }).end()

describe('a service that misbehaves', () => {
  it.each<[string, string, Answer]>([
    ['answers with HTML', 'malformed', response => void response.end('<html><body>Sorry</body></html>')],
    [
      'says HTML is JSON',
      'malformed',
      response => void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>'),
    ],
    ['answers with JSON of another form', 'malformed', json({ current: { temperature_2m: 'warm' } })],
    ['answers with a list', 'malformed', json([1, 2])],
    ['answers with nothing', 'malformed', response => void response.end()],
    [
      'compresses without being asked',
      'malformed',
      response => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    ],
    ['refuses our key', 'refused', json({ message: 'key abc is wrong' }, 401)],
    ['fails', 'error', json({ trace: 'secret' }, 500)],
    ['is busy', 'rate-limited', json({}, 429)],
    [
      'breaks off',
      'unreachable',
      response => {
        response.writeHead(200, { 'content-length': '1000' }).write('{')
        setImmediate(() => response.destroy())
      },
    ],
  ])('%s is a result, not an exception, without a word of the service', async (_, reason, answer) => {
    service.on('/v1/forecast', answer)
    const run = await newRunner().run(weather(), HERE)
    expect(run).toEqual({ ok: false, reason, message: expect.stringMatching(/^The service /) })
    expect(JSON.stringify(run)).not.toMatch(/secret|abc|127\.0\.0\.1|html/)
  })

  it('declares text and sends JSON is understood', async () => {
    service.on('/v1/forecast', response => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('{"current":{"temperature_2m":1}}')
    })
    expect(await newRunner().run(weather(), HERE)).toMatchObject({
      ok: true,
      result: { data: { temperature: 1 } },
    })
  })

  it('is down is a failure, and one without a name is too', async () => {
    const gone = servicesAt('http://127.0.0.1:1')
    expect(await newRunner().run(toolNamed(gone, 'weather'), HERE)).toMatchObject({ reason: 'unreachable' })
    const nameless = servicesAt('http://no-such-host.invalid')
    expect(await newRunner().run(toolNamed(nameless, 'weather'), HERE)).toMatchObject({
      reason: 'unreachable',
    })
  })

  it('is slow ends at the time limit of 300 ms, its connection closed', async () => {
    service.on('/v1/forecast', () => {})
    const startedAt = performance.now()
    const run = await newRunner({ timeoutMs: 300 }).run(weather(), HERE)
    const tookMs = performance.now() - startedAt
    expect(run).toMatchObject({ ok: false, reason: 'timeout' })
    expect(tookMs).toBeGreaterThan(290)
    expect(tookMs).toBeLessThan(1_000)
    await expect.poll(() => service.abandoned).toBe(1)
  })

  it('is slow in the middle of its answer ends there too', async () => {
    service.on('/v1/forecast', response => void response.writeHead(200).write('{"current":'))
    expect(await newRunner({ timeoutMs: 300 }).run(weather(), HERE)).toMatchObject({ reason: 'timeout' })
    await expect.poll(() => service.abandoned).toBe(1)
  })

  it('sends 100 MB is read for about 1 MB, and its connection closed', async () => {
    let sent = 0
    service.on('/v1/forecast', response => {
      const chunk = Buffer.alloc(65_536, 0x20)
      response.writeHead(200)
      const write = () => {
        while (!response.destroyed && sent < 100_000_000) {
          sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', write)
        }
      }
      write()
    })
    expect(await newRunner().run(weather(), HERE)).toMatchObject({ ok: false, reason: 'too-large' })
    await expect.poll(() => service.abandoned).toBe(1)
    // What the sockets of both sides buffer comes on top.
    expect(sent).toBeLessThan(20_000_000)
  })
})

describe('a redirect', () => {
  it.each([
    ['a loopback address', () => `http://127.0.0.1:${insidePort}/`],
    ['a loopback name', () => `http://localhost:${insidePort}/`],
    ['a loopback address in IPv6', () => `http://[::1]:${insidePort}/`],
    ['a mapped address', () => `http://[::ffff:127.0.0.1]:${insidePort}/`],
    ['a decimal address', () => `http://2130706433:${insidePort}/`],
    ['a name with user and password', () => `http://u:p@localhost:${insidePort}/`],
    ['the address of cloud metadata', () => 'http://169.254.169.254/latest/meta-data'],
    ['a private address', () => 'http://10.0.0.1/'],
    ['another scheme', () => 'file:///etc/passwd'],
    ['nowhere', () => 'http://'],
  ])('to %s is refused without a connection, in the same words', async (_, location) => {
    touched = 0
    service.on('/v1/forecast', redirect(location()))
    expect(await newRunner().run(weather(), HERE)).toEqual({
      ok: false,
      reason: 'redirect',
      message: 'The service redirected to an address that is not allowed.',
    })
    expect(touched).toBe(0)
  })

  it('within the service is followed, at most three times', async () => {
    service
      .on('/v1/forecast', redirect('/moved'))
      .on('/moved', redirect(`${service.url}/again`, 307))
      .on('/again', json({ current: { temperature_2m: 7 } }))
      .on('/loop', redirect('/loop'))
    expect(await newRunner().run(weather(), HERE)).toMatchObject({ result: { data: { temperature: 7 } } })
    service.on('/moved', redirect('/loop'))
    expect(await newRunner().run(weather(), HERE)).toMatchObject({ reason: 'redirect' })
    expect(service.of('/loop').length).toBe(2)
  })

  it('of a POST, which holds a key, is never followed', async () => {
    const settings = { ...servicesAt(service.url), tavily: { baseUrl: service.url, key: 'k' } }
    service
      .on('/search', redirect('/other'))
      .on('/w/api.php', json({}, 500))
      .on('/other', json({ results: [] }))
    expect(await newRunner().run(toolNamed(settings, 'web_search'), { query: 'x' })).toMatchObject({
      ok: false,
    })
    expect(service.of('/other')).toEqual([])
  })
})

describe('results', () => {
  it('are served again within 2 ms, without a second request to the service', async () => {
    service.on('/v1/forecast', json({ current: { temperature_2m: 5 } }))
    const { run } = newRunner()
    const first = await run(weather(), HERE)
    expect(first).toMatchObject({ ok: true, cache: 'miss' })
    const times: number[] = []
    for (let index = 0; index < 20; index += 1) {
      const startedAt = performance.now()
      const again = await run(weather(), { ...HERE, units: 'metric' })
      times.push(performance.now() - startedAt)
      expect(again).toEqual({ ...first, cache: 'hit' })
    }
    // The quickest: other work of this machine is none of it.
    expect(Math.min(...times)).toBeLessThan(2)
    expect(service.of('/v1/forecast').length).toBe(1)
  })

  it.each([
    ['weather', 10, HERE, '/v1/forecast', { current: { temperature_2m: 5 } }],
    ['currency', 5, { from: 'USD', to: 'EUR' }, '/v1/latest', { base: 'USD', rates: { EUR: 1 } }],
    ['news', 15, { query: 'x' }, '/api/v2/doc/doc', { articles: [] }],
    ['web_search', 30, { query: 'x' }, '/w/api.php', { query: { search: [] } }],
    ['places', 60, { query: 'x' }, '/search', []],
  ])(
    'of %s are kept for %i minutes, and after that replace a failure',
    async (name, minutes, input, path, answer) => {
      const clock = new FakeClock()
      const { run } = newRunner({ clock })
      const settings = { ...servicesAt(service.url), openErApi: 'http://127.0.0.1:1' }
      service.on(path, json(answer))
      const tool = toolNamed(settings, name)
      expect(await run(tool, input)).toMatchObject({
        cache: 'miss',
        freshUntil: clock.now() + minutes * 60_000,
      })
      await clock.advance(minutes * 60_000 - 1)
      expect(await run(tool, input)).toMatchObject({ cache: 'hit' })
      await clock.advance(1)
      expect(await run(tool, input)).toMatchObject({ cache: 'miss' })
      expect(service.of(path).length).toBe(2)
      await clock.advance(minutes * 60_000)
      service.on(path, json({}, 500))
      expect(await run(tool, input)).toMatchObject({ ok: true, cache: 'stale', freshUntil: clock.now() })
      await clock.advance(13 * minutes * 60_000)
      expect(await run(tool, input)).toMatchObject({ ok: false })
    },
  )

  it('of 50 concurrent runs come from one request, and the first to leave does not end it', async () => {
    let answer: (() => void) | undefined
    service.on('/v1/forecast', response => {
      answer = () => response.end('{"current":{"temperature_2m":5}}')
    })
    const { run } = newRunner()
    const leaving = new AbortController()
    const first = run(weather(), HERE, leaving.signal)
    const others = Array.from({ length: 49 }, () => run(weather(), HERE))
    await expect.poll(() => answer).toBeDefined()
    leaving.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    answer?.()
    for (const one of await Promise.all(others)) expect(one).toMatchObject({ ok: true })
    expect(service.of('/v1/forecast').length).toBe(1)
  })

  it('whose callers have all left are not fetched: the request ends within 250 ms', async () => {
    service.on('/v1/forecast', () => {})
    const leaving = new AbortController()
    const run = newRunner().run(weather(), HERE, leaving.signal)
    await expect.poll(() => service.of('/v1/forecast').length).toBe(1)
    leaving.abort(new Error('gone'))
    await expect(run).rejects.toThrow('gone')
    await expect.poll(() => service.abandoned, { timeout: 250 }).toBe(1)
  })
})

describe('a service that keeps failing', () => {
  it('is not asked for 60 s after 3 failures, and then once', async () => {
    const clock = new FakeClock()
    const { run, circuitOf } = newRunner({ clock })
    service.on('/v1/forecast', json({}, 503))
    for (let index = 0; index < 3; index += 1)
      expect(await run(weather(), { ...HERE, latitude: index })).toMatchObject({ reason: 'error' })
    expect(circuitOf('open-meteo').describe()).toMatchObject({ state: 'open', nextProbeInMs: 60_000 })
    expect(await run(weather(), HERE)).toMatchObject({ reason: 'unavailable' })
    expect(service.of('/v1/forecast').length).toBe(3)
    await clock.advance(60_000)
    service.on('/v1/forecast', json({ current: { temperature_2m: 5 } }))
    expect(await run(weather(), HERE)).toMatchObject({ ok: true })
    expect(circuitOf('open-meteo').describe()).toEqual({ state: 'closed' })
  })

  it('is not one that refuses what it is asked', async () => {
    const { run, circuitOf } = newRunner()
    service.on('/v1/forecast', json({}, 404))
    for (let index = 0; index < 4; index += 1)
      expect(await run(weather(), { ...HERE, latitude: index })).toMatchObject({ reason: 'rejected' })
    expect(circuitOf('open-meteo').describe()).toEqual({ state: 'closed' })
    service.on('/v1/forecast', json({}, 408))
    expect(await run(weather(), HERE)).toMatchObject({ reason: 'error' })
  })

  it('is replaced by the next one', async () => {
    const { run } = newRunner()
    service
      .on('/v1/latest', json({}, 500))
      .on('/v6/latest/USD', json({ result: 'success', rates: { EUR: 2 } }))
    expect(
      await run(toolNamed(servicesAt(service.url), 'currency'), { from: 'USD', to: 'EUR' }),
    ).toMatchObject({
      ok: true,
      result: { service: 'open-er-api', data: { rate: 2 } },
    })
  })

  it('with 429 and Retry-After is not called for that time, which is no failure', async () => {
    const clock = new FakeClock()
    const { run, circuitOf } = newRunner({ clock })
    service.on('/v1/forecast', response => void response.writeHead(429, { 'retry-after': '30' }).end())
    expect(await run(weather(), HERE)).toMatchObject({ reason: 'rate-limited' })
    expect(circuitOf('open-meteo').describe()).toMatchObject({ state: 'open', nextProbeInMs: 30_000 })
    expect(await run(weather(), HERE)).toMatchObject({ reason: 'unavailable' })
    expect(service.of('/v1/forecast').length).toBe(1)
  })
})

describe('the rate of a service', () => {
  it('is kept for all callers together: Nominatim gets at most one request a second', async () => {
    service.on('/search', json([]))
    const { run } = newRunner({ timeoutMs: 5_000 })
    const places = toolNamed(servicesAt(service.url), 'places')
    const runs = await Promise.all(['a', 'b', 'c'].map(query => run(places, { query })))
    expect(runs.every(({ ok }) => ok)).toBe(true)
    const times = service.of('/search').map(({ at }) => at)
    for (const [index, at] of times.entries())
      if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(1_000)
  })

  it('makes a run fail that would have to wait longer than its time, without a mark against the service', async () => {
    const clock = new FakeClock()
    service.on('/search', json([]))
    const { run, circuitOf } = newRunner({ clock, timeoutMs: 500 })
    const places = toolNamed(servicesAt(service.url), 'places')
    expect(await run(places, { query: 'a' })).toMatchObject({ ok: true })
    for (const query of ['b', 'c', 'd', 'e'])
      expect(await run(places, { query })).toMatchObject({ reason: 'busy' })
    expect(circuitOf('nominatim').state.name).toBe('closed')
    expect(service.of('/search').length).toBe(1)
  })
})

describe('a report of a run', () => {
  it('says which tool, which service, how it ended and how long it took, and nothing else', async () => {
    const { run, reports } = newRunner()
    await run(weather(), HERE)
    await run(weather(), HERE)
    await run(weather(), {})
    const tookMs = expect.any(Number)
    const common = { tool: 'weather', tookMs, requestId: 'request-1' }
    expect(reports).toEqual([
      { ...common, outcome: 'miss', service: 'open-meteo' },
      { ...common, outcome: 'hit', service: 'open-meteo' },
      { ...common, outcome: 'arguments', service: undefined },
    ])
  })
})
