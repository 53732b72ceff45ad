import { createConnection } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { FaultScene, JSON_AND_STREAM } from '../support/fault-scene.ts'
import { exchange } from '../support/raw-http.ts'
import { echoes } from '../support/upstream-behaviour.ts'

const MEBIBYTE = 1024 * 1024

describe('hostile requests', () => {
  let scene: FaultScene

  beforeAll(async () => {
    scene = await FaultScene.start({
      env: () => ({ ALLOWED_ORIGINS: 'https://app.example.com', ENABLE_CACHING: 'false' }),
    })
    scene.upstream.usually(echoes)
  })
  afterAll(async () => {
    await scene?.expectRest()
    await scene?.stop()
  })

  const raw = (...parts: readonly (string | Uint8Array)[]) => exchange(scene.gateway.url, ...parts)
  const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
  const envelopeOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).error

  const get = 'GET /api/models HTTP/1.1\r\n'
  const head = 'POST /api/chat HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

  it.each<[string, string, number]>([
    ['a header line of 17 kB', `${get}host: localhost\r\na: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['5,000 headers', `${get}host: localhost\r\n${'a: b\r\n'.repeat(5_000)}\r\n`, 431],
    ['a request line of 20 kB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
    ['no host', `${get}\r\n`, 400],
    ['two hosts', `${get}host: localhost\r\nhost: y\r\n\r\n`, 400],
    ['two lengths', `${head}content-length: 3\r\ncontent-length: 4\r\n\r\nabc`, 400],
    [
      'length and chunks both',
      `${head}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a length that is no number', `${head}content-length: +3\r\n\r\nabc`, 400],
    ['line ends of LF alone', `${get.replace('\r', '')}host: x\n\n`, 400],
    ['a space before the colon', `${get}host: localhost\r\na : b\r\n\r\n`, 400],
    ['a header over two lines', `${get}host: localhost\r\na: b\r\n c\r\n\r\n`, 400],
    ['a NUL in a header', `${get}host: localhost\r\na: \0\r\n\r\n`, 400],
    [
      'another coding than chunks',
      `${head}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      501,
    ],
    [
      'another coding in a header of its own',
      `${head}transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      501,
    ],
    ['chunk sizes that overflow', `${head}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n`, 400],
  ])('F30: are refused as what they are, and the connection closed: %s', async (_, bytes, status) => {
    const answer = await raw(bytes)
    expect(statusOf(answer)).toBe(status)
    expect(answer.toLowerCase()).toContain('connection: close')
    if (envelopeOf(answer)) expect(envelopeOf(answer).requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('F30: do not smuggle a second request after a body', async () => {
    const body = JSON.stringify({ prompt: 'a', model: 'nobody/none' })
    const answer = await raw(
      `${head}content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}${get}host: localhost\r\n\r\n`,
    )
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  })

  const ask = (body: unknown, headers?: Record<string, string>) =>
    post(scene.gateway.url, body, headers && { headers })
  const fields = (key: (index: number) => string, count: number) =>
    `{"prompt":"a",${Array.from({ length: count }, (_, index) => `${JSON.stringify(key(index))}:1`).join()}}`

  it.each<[string, string]>([
    ['200,000 levels', `{"prompt":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['150,000 levels of objects', `${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`],
    ['85,000 fields', fields(index => `${index}x`, 85_000)],
    ['90,000 numeric fields', fields(index => `${index}`, 90_000)],
    [
      'fields that share a hash',
      fields(
        index => index.toString(2).padStart(17, '0').replaceAll('0', 'Aa').replaceAll('1', 'BB'),
        20_000,
      ),
    ],
    ['a number of 100,000 digits', `{"prompt":"a","temperature":${'9'.repeat(100_000)}}`],
    ['an exponent without end', `{"prompt":"a","temperature":1e${'9'.repeat(100_000)}}`],
    ['a field named twice', '{"prompt":"a","prompt":"b"}'],
  ])('F31: JSON is refused before it can do harm: %s', async (_, body) => {
    const answer = await ask(body)
    expect(answer.status).toBe(400)
    expect((await json(answer)).error).toMatchObject({ code: 'INVALID_INPUT', requestId: expect.any(String) })
    expect(scene.gateway.everything).not.toContain('RangeError')
  })

  it('F32: a body declared as too long is refused before any of it is read', async () => {
    const answer = await raw(`${head}content-length: ${50 * MEBIBYTE}\r\n\r\n`)
    expect(statusOf(answer)).toBe(413)
    expect(envelopeOf(answer).code).toBe('PAYLOAD_TOO_LARGE')
  })

  it('F32: a body of undeclared length is refused once it is too long', async () => {
    const piece = Buffer.alloc(64 * 1024, ' ')
    const chunks = Array.from({ length: 12 * 16 }, () => [`${piece.length.toString(16)}\r\n`, piece, '\r\n'])
    const answer = await raw(`${head}transfer-encoding: chunked\r\n\r\n`, ...chunks.flat())
    expect(statusOf(answer)).toBe(413)
  })

  it('F32: a body shorter than declared is a client that has left', async () => {
    const socket = createConnection(Number(new URL(scene.gateway.url).port), '127.0.0.1')
    socket.write(`${head}x-request-id: short-body\r\ncontent-length: 100\r\n\r\n{"prompt":`)
    await expect.poll(() => scene.openRequests()).toBe(1)
    socket.destroy()
    expect(await scene.gateway.lineOf('short-body')).toMatchObject({
      outcome: 'aborted',
      code: 'CLIENT_GONE',
    })
  })

  it.each<[string, Uint8Array]>([
    ['invalid UTF-8', Buffer.from('{"prompt":"\xff\xfe"}', 'latin1')],
    ['UTF-8 of a surrogate', Buffer.from('{"prompt":"\xed\xa0\x80"}', 'latin1')],
    ['overlong UTF-8', Buffer.from('{"prompt":"\xc0\xaf"}', 'latin1')],
    ['UTF-16', Buffer.from('{"prompt":"a"}', 'utf16le')],
    ['two byte order marks', Buffer.from('\ufeff\ufeff{"prompt":"a"}')],
  ])('F33: bytes that are no JSON text are refused: %s', async (_, bytes) => {
    const answer = await ask(bytes)
    expect(answer.status).toBe(400)
    expect((await json(answer)).error.code).toBe('INVALID_INPUT')
  })

  it.each<[string, string]>([
    ['NUL and other controls', 'a\0b\u0007c\u001b[31m'],
    ['a lone surrogate', 'a\ud800b'],
    ['text from right to left, joined and combined', '\u202ea\u0301\u200d🏳️‍🌈\ufeff'],
    ['line separators', '\u2028\u2029\u0085\r\n'],
  ])('F33: odd but valid text of a message arrives and comes back as it was: %s', async (_, content) => {
    for (const stream of [false, true]) {
      const told = await scene.ask('openai/echo', stream, {
        prompt: undefined,
        messages: [{ role: 'user', content }],
      })
      expect(told.status).toBe(200)
      expect(scene.upstream.calls.at(-1)?.asked.messages[0]?.content).toBe(content)
      expect(told.content).toBe(content)
    }
  })

  it.each<[string, () => Promise<Response>]>([
    ['body', () => ask('{"prompt":"a","__proto__":{"polluted":true}}')],
    ['escaped field', () => ask('{"prompt":"a","\\u005f_proto__":{"polluted":true}}')],
    ['constructor', () => ask('{"prompt":"a","constructor":{"prototype":{"polluted":true}}}')],
    ['message', () => ask('{"messages":[{"role":"user","content":"a","__proto__":{"polluted":true}}]}')],
  ])('F34: a prototype is not polluted by the %s', async (_, send) => {
    expect((await send()).status).toBe(400)
    expect(await json(await ask({ prompt: 'a', model: 'openai/echo' }))).not.toHaveProperty('polluted')
  })

  it('F34: a prototype is not polluted by headers or the query', async () => {
    const query = '?__proto__[polluted]=1&constructor.prototype.polluted=1'
    const answer = await raw(
      `GET /api/models${query} HTTP/1.1\r\nhost: localhost\r\n__proto__: x\r\nconstructor: y\r\nconnection: close\r\n\r\n`,
    )
    expect(statusOf(answer)).toBe(200)
    expect(await json(await ask({ prompt: 'a', model: 'openai/echo' }))).not.toHaveProperty('polluted')
  })

  it.each([
    'null',
    'https://app.example.com.evil.org',
    'https://evil.org/https://app.example.com',
    'https://xapp.example.com',
    'http://app.example.com',
    'https://app.example.com:444',
    'HTTPS://APP.EXAMPLE.COM',
    '*',
  ])('F37: a browser of another origin can read nothing: %s', async origin => {
    for (const method of ['OPTIONS', 'POST']) {
      const headers = { origin, 'access-control-request-method': 'POST', 'content-type': 'application/json' }
      const answer = await fetch(`${scene.gateway.url}/api/chat`, {
        method,
        headers,
        ...(method === 'POST' && { body: JSON.stringify({ prompt: 'a', model: 'openai/echo' }) }),
      })
      const names = [...answer.headers.keys()].filter(name => name.startsWith('access-control-'))
      expect(names).toEqual([])
      expect(answer.headers.get('vary')).toContain('Origin')
    }
  })

  it('F37: a browser of exactly an allowed origin is let in, without credentials, streams too', async () => {
    const origin = 'https://app.example.com'
    const preflight = await fetch(`${scene.gateway.url}/api/chat`, { method: 'OPTIONS', headers: { origin } })
    expect(preflight.status).toBe(204)
    for (const stream of [false, true]) {
      const answer = await ask({ prompt: 'a', model: 'openai/echo', stream }, { origin })
      await answer.text()
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
      expect(answer.headers.has('access-control-allow-credentials')).toBe(false)
    }
  })

  it.each<[string, string]>([
    ['text/plain', '{"prompt":"a"}'],
    ['application/x-www-form-urlencoded', 'prompt=a'],
    [
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na\r\n--x--',
    ],
    ['', '{"prompt":"a"}'],
  ])('F38: what another site can make a browser post is refused: %s', async (type, body) => {
    const before = scene.upstream.calls.length
    const crossSite = await ask(body, { 'content-type': type, 'sec-fetch-site': 'cross-site' })
    expect(crossSite.status).toBe(403)
    expect((await ask(body, { 'content-type': type })).status).toBe(415)
    expect(scene.upstream.calls).toHaveLength(before)
  })

  it('F38: the session cookie is neither readable by scripts nor sent across sites', async () => {
    const answer = await post(scene.gateway.url, {})
    expect(answer.headers.has('set-cookie')).toBe(false)
    const session = await fetch(`${scene.gateway.url}/api/session`, { method: 'POST' })
    expect(session.headers.get('set-cookie')).toMatch(/httponly/i)
    expect(session.headers.get('set-cookie')).toMatch(/samesite=(lax|strict)/i)
  })

  it.each<[string, Record<string, string>, object]>([
    ['a request id of two lines', { 'x-request-id': 'a%0A{"level":"fatal"}' }, {}],
    ['colours in a request id', { 'x-request-id': 'a[31m;rm' }, {}],
    ['a model that looks like a log line', {}, { model: 'openai/x","level":"fatal","injected":"yes' }],
    ['a model with escapes', {}, { model: 'openai/\\u001b[31m\\n' }],
    ['a user agent of 12 kB', { 'user-agent': `injected${'x'.repeat(12_000)}` }, {}],
    ['a forwarded address of 10 kB', { 'x-forwarded-for': 'injected,'.repeat(1_100) }, {}],
  ])(
    'F43: leaves one whole line in the log, with nothing in it that was not meant: %s',
    async (_, headers, body) => {
      const answer = await ask({ prompt: 'a', model: 'openai/echo', ...body }, headers)
      await answer.text()
      const requestId = answer.headers.get('x-request-id') ?? ''
      const line = await scene.gateway.lineOf(requestId)
      expect(line.level).toBe('info')
      expect(line).not.toHaveProperty('injected')
      expect(JSON.stringify(line).length).toBeLessThan(2_000)
      const lines = scene.gateway.everything.split('\n').filter(text => text.includes(requestId))
      expect(lines).toHaveLength(1)
      expect([...lines.join()].every(character => character >= ' ' && character !== '\x7f')).toBe(true)
    },
  )

  it('F43: a header of a megabyte is refused', async () => {
    const answer = await raw(`${get}host: localhost\r\nuser-agent: ${'x'.repeat(MEBIBYTE)}\r\n\r\n`)
    expect(statusOf(answer)).toBe(431)
  })
})

describe('more connections than there can be files', () => {
  it('F29: are turned away without a crash, and it recovers, for JSON and streams', async () => {
    const scene = await FaultScene.start({ start: { mostFiles: 512 } })
    try {
      const port = Number(new URL(scene.gateway.url).port)
      const sockets = Array.from({ length: 1_500 }, () =>
        createConnection(port, '127.0.0.1').on('error', () => {}),
      )
      const turnedAway = () => sockets.filter(({ destroyed }) => destroyed).length
      await expect.poll(turnedAway, { timeout: 30_000 }).toBeGreaterThan(500)
      for (const socket of sockets) socket.destroy()
      const statusOf = (stream: boolean) =>
        scene
          .ask('openai/any', stream)
          .then(({ status }) => status)
          .catch(() => 0)
      for (const [, stream] of JSON_AND_STREAM) {
        await expect.poll(() => statusOf(stream), { timeout: 30_000 }).toBe(200)
        await scene.endures('openai/any', stream)
      }
    } finally {
      await scene.stop()
    }
  })

  it('F29: calls that get no socket to their upstream fail calmly, and it recovers', async () => {
    const scene = await FaultScene.start({
      start: { mostFiles: 256 },
      env: () => ({ MAX_RETRIES: '0', ENABLE_CACHING: 'false', BREAKER_OPEN_MS: '1' }),
    })
    try {
      const failing = Promise.withResolvers<void>()
      scene.upstream.usually(async (response, asked, signal) => {
        // No call gives its socket back before another one has found none.
        await failing.promise
        return echoes(response, asked, signal)
      })
      const asked = Array.from({ length: 180 }, async (_, index) => {
        const one = await scene.ask('openai/any', index % 2 === 0).catch(() => undefined)
        if (one && one.status !== 200) failing.resolve()
        return one
      })
      const told = (await Promise.all(asked)).filter(one => one !== undefined)
      const failed = told.filter(({ status }) => status !== 200)
      expect(failed.length).toBeLessThan(told.length)
      // Those who come after the first to fail may find the model left alone.
      const codes = new Set(failed.map(({ error }) => error.code))
      expect(codes).toContain('NETWORK')
      expect(['NETWORK', 'MODEL_UNAVAILABLE']).toEqual(expect.arrayContaining([...codes]))
      await scene.expectCalm(await scene.ask('openai/any', false, { prompt: 'Hi' }))
    } finally {
      await scene.stop()
    }
  })
})
