import { createConnection } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from '../support/chat.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { exchange, firstResponse } from '../support/raw-http.ts'

const CLOSE = 'connection: close\r\n\r\n'
const HOST = 'host: localhost\r\n'
const EVERY_METHOD = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
const CHAT = JSON.stringify({ prompt: 'Hi', model: 'mock/echo' })

describe.each(HOSTS)('HTTP at the edge of the %s server', host => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      ENABLE_CONSOLE: 'true',
      ENABLE_RATE_LIMITING: 'false',
      MOCK_LATENCY_MS: '1',
    })
    // Next does part of its set-up at the first page.
    expect((await fetch(`${gateway.url}/`)).status).toBe(200)
  })
  afterAll(async () => {
    expect((await fetch(`${gateway.url}/api/health/live`)).status).toBe(200)
    const plain = gateway.everything.split('\n').filter(line => !line.startsWith('{'))
    expect(plain.filter(line => /^\s+at /.test(line))).toEqual([])
    await gateway.stop()
  })

  const send = async (...parts: readonly (string | Uint8Array)[]) =>
    firstResponse(await exchange(gateway.url, ...parts))
  const request = (line: string, more = '') => send(`${line} HTTP/1.1\r\n${HOST}${more}${CLOSE}`)
  const expectEnvelope = ({ body, headers }: { body: string; headers: Headers }): Json => {
    const { error } = JSON.parse(body)
    expect(error).toEqual({
      code: expect.stringMatching(/^[A-Z_]+$/),
      message: expect.stringMatching(/^(?:[A-Z]|vLLM |[\w-]+\/).*\.$/s),
      requestId: headers.get('x-request-id'),
      retryable: expect.any(Boolean),
      ...(error.retryAfterSeconds && { retryAfterSeconds: Number(headers.get('retry-after')) }),
    })
    return error
  }
  const expectSecurityHeaders = (headers: Headers) => {
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('strict-origin-when-cross-origin')
    expect(headers.get('permissions-policy')).toBeTruthy()
  }

  describe('methods', () => {
    it.each(
      ['TRACE', 'M-SEARCH', 'PROPFIND', 'PURGE', 'QUERY'].flatMap(method =>
        [
          ['/', 'GET, HEAD'],
          ['/_next/static/x.js', 'GET, HEAD'],
          ['/api/chat', 'POST, OPTIONS'],
          ['//api/chat/', 'POST, OPTIONS'],
          ['/api/models', 'GET, HEAD, OPTIONS'],
          ['/api/health/live', 'GET, HEAD, OPTIONS'],
          ['/api/batch/jobs', 'GET, HEAD, POST, OPTIONS'],
          ['/api/batch/jobs/any', 'GET, HEAD, PATCH, DELETE, OPTIONS'],
          ['/metrics', 'GET, HEAD, OPTIONS'],
          ['/api/nowhere', EVERY_METHOD],
          ['*', EVERY_METHOD],
        ].map(([path, allow]) => [method, path, allow]),
      ),
    )(
      '%s %s is 405 with our envelope, and Allow is the list of its route: %s',
      async (method, path, allow) => {
        const response = await request(`${method} ${path}`)
        expect(response.status).toBe(405)
        expect(response.headers.get('allow')).toBe(allow)
        expect(expectEnvelope(response).code).toBe('METHOD_NOT_ALLOWED')
        expectSecurityHeaders(response.headers)
      },
    )

    it('OPTIONS * tells which methods there are; GET * is 400', async () => {
      const options = await request('OPTIONS *')
      expect([options.status, options.headers.get('allow')]).toEqual([204, EVERY_METHOD])
      const get = await request('GET *')
      expect(get.status).toBe(400)
      expect(expectEnvelope(get).code).toBe('INVALID_INPUT')
    })

    it('a method that no route has is refused with the same list as one that another route has', async () => {
      for (const path of ['/api/chat', '/api/models', '/api/batch/upload', '/api/session']) {
        const [unknown, known] = [await request(`PROPFIND ${path}`), await request(`PUT ${path}`)]
        expect([unknown.status, unknown.headers.get('allow')]).toEqual([405, known.headers.get('allow')])
        expect(expectEnvelope(unknown).message).toBe(
          expectEnvelope(known).message.replace('Method PUT ', 'Method PROPFIND '),
        )
      }
    })

    it('the body of a method that no route has is dropped, and the connection serves the next request', async () => {
      const body = 'x'.repeat(1_000_000)
      const answer = await exchange(
        gateway.url,
        `PROPFIND /api/chat HTTP/1.1\r\n${HOST}content-length: ${body.length}\r\n\r\n${body}GET /api/health/live HTTP/1.1\r\n${HOST}${CLOSE}`,
      )
      expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 405', 'HTTP/1.1 200'])
    })

    it('such a request is logged as one of a method that is not listed', async () => {
      await request('PROPFIND /api/models', 'x-request-id: unlisted-method\r\n')
      expect(await gateway.lineOf('unlisted-method')).toMatchObject({ method: '_OTHER', status: 405 })
    })

    it('CONNECT is 405, and the connection is closed', async () => {
      const response = await send(`CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`)
      expect(response.status).toBe(405)
      expectEnvelope(response)
    })

    it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s on a page is 405', async method => {
      for (const path of ['/', '/batch', '/nowhere', '/_next/static/x.js']) {
        const response = await request(`${method} ${path}`)
        expect(response.status).toBe(405)
        expect(response.headers.get('allow')).toBe('GET, HEAD')
        expectEnvelope(response)
      }
    })

    it('40 posts of 9.9 MB to a page are refused before their bodies, and keep less than 100 MB', async () => {
      const memory = async () => {
        const text = await (await fetch(`${gateway.url}/metrics`)).text()
        return Number(/^process_resident_memory_bytes (.+)$/m.exec(text)?.[1])
      }
      const before = await memory()
      const size = 9_900_000
      const refused = await Promise.all(
        Array.from({ length: 40 }, () => {
          const socket = createConnection(Number(new URL(gateway.url).port), '127.0.0.1')
          socket.on('error', () => {})
          socket.write(`POST / HTTP/1.1\r\n${HOST}content-length: ${size}\r\n\r\n`)
          return new Promise<string>(resolve => {
            socket.once('data', data => {
              resolve(String(data))
              socket.write(Buffer.alloc(size - 1))
            })
          }).then(text => ({ text, socket }))
        }),
      )
      expect(refused.filter(({ text }) => !text.startsWith('HTTP/1.1 405'))).toEqual([])
      const closed = Promise.all(
        refused.map(({ socket }) => new Promise(resolve => socket.once('close', resolve))),
      )
      expect((await memory()) - before).toBeLessThan(100_000_000)
      // Cut off after two seconds: nobody reads what they go on sending.
      await closed
      expect((await memory()) - before).toBeLessThan(100_000_000)
    })

    it('HEAD has the headers of GET and no body, on pages, routes, streams and errors', async () => {
      for (const path of [
        '/',
        '/nowhere',
        '/api/health',
        '/api/nowhere',
        '/v1/nowhere',
        '/api/batch/events',
      ]) {
        const answer = await exchange(gateway.url, `HEAD ${path} HTTP/1.1\r\n${HOST}${CLOSE}`)
        expect(answer.slice(answer.indexOf('\r\n\r\n') + 4), path).toBe('')
      }
    })
  })

  describe('refusals under /v1 have the form of OpenAI', () => {
    const LONG = `x-long: ${'x'.repeat(20_000)}\r\n`
    it.each<[string, string, number, string]>([
      ['an unknown method', `TRACE /v1/models HTTP/1.1\r\n${HOST}`, 405, 'method_not_allowed'],
      ['an unknown path', `POST /v1/nowhere HTTP/1.1\r\n${HOST}`, 404, 'not_found'],
      ['a malformed path', `GET /v1/%zz HTTP/1.1\r\n${HOST}`, 400, 'invalid_input'],
      ['a malformed absolute path', `GET http://localhost//v1/%zz HTTP/1.1\r\n${HOST}`, 400, 'invalid_input'],
      ['two hosts', 'GET /v1/models HTTP/1.1\r\nhost: a\r\nhost: b\r\n', 400, 'invalid_input'],
      ['a malformed host', 'GET /v1/models HTTP/1.1\r\nhost: a/b\r\n', 400, 'invalid_input'],
      ['a foreign host', 'GET /v1/models HTTP/1.1\r\nhost: attacker.example\r\n', 403, 'forbidden'],
      ['no key', `GET /v1/models HTTP/1.1\r\n${HOST}authorization: Basic x\r\n`, 401, 'invalid_api_key'],
      ['two keys', `GET /v1/models HTTP/1.1\r\n${HOST}x-api-key: a\r\napi-key: b\r\n`, 400, 'invalid_input'],
      [
        'a malformed length',
        `POST /v1/models HTTP/1.1\r\n${HOST}content-length: +3\r\n`,
        400,
        'invalid_input',
      ],
      ['long headers', `GET /v1/models HTTP/1.1\r\n${HOST}${LONG}`, 431, 'invalid_input'],
    ])('%s', async (_, head, status, code) => {
      const response = await send(`${head}${CLOSE}`)
      expect(response.status).toBe(status)
      expect(JSON.parse(response.body)).toEqual({
        error: { message: expect.any(String), type: 'invalid_request_error', param: null, code },
      })
      expect(response.headers.get('x-request-id')).toBeTruthy()
      expectSecurityHeaders(response.headers)
    })
  })

  describe('targets', () => {
    it.each([
      '/api/health/live',
      '/api/health/live/',
      '//api/health/live',
      '/api//health///live',
      '/./api/./health/live',
      '/x/../api/health/live',
      '/%2e/api/health/live',
      '/api/health/live?a=//b/../c',
      'http://elsewhere.example/api/health/live',
      'HTTP://elsewhere.example:1234//api/health/live/',
    ])('%s reaches its route', async target => {
      const response = await request(`GET ${target}`)
      expect([response.status, response.body]).toEqual([200, '{"status":"ok"}'])
    })

    it.each(['//api/chat', '/api/chat/', '/api//chat', 'http://localhost/api/chat'])(
      'POST %s reaches its route, with its body',
      async target => {
        const response = await send(
          `POST ${target} HTTP/1.1\r\n${HOST}content-type: application/json\r\ncontent-length: ${CHAT.length}\r\n${CLOSE}${CHAT}`,
        )
        expect(response.status).toBe(200)
        expect(JSON.parse(response.body).content).toBe('Hi')
      },
    )

    it.each(['job=1', 'a/b:c+d', 'job-2'])('the request %s is found by its id, encoded or not', async id => {
      const asked = await fetch(`${gateway.url}/api/chat`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': id },
        body: CHAT,
      })
      expect(asked.headers.get('x-request-id')).toBe(id)
      const found = async (written: string) =>
        (await (await fetch(`${gateway.url}/api/requests/${written}`)).json()).request?.requestId
      await expect.poll(() => found(encodeURIComponent(id))).toBe(id)
      if (!id.includes('/')) expect(await found(id)).toBe(id)
      expect((await request(`GET /api/requests/${encodeURIComponent(`${id}%`)}`)).status).toBe(404)
    })

    it.each(['100%25', 'a%2541', 'openai%2F100%25', 'openai/100%25'])(
      'the model %s is decoded once, and not found',
      async name => {
        const response = await request(`GET /v1/models/${name}`)
        expect(response.status).toBe(404)
        expect(JSON.parse(response.body).error).toMatchObject({ code: 'model_not_found' })
        expect(response.body).toContain(decodeURIComponent(name))
      },
    )

    it.each(['/api%2Fhealth%2Flive', '/api/health%2Flive', '/%61pi%2fhealth/live', '/api\\health\\live'])(
      '%s is no route: an encoded slash is none',
      async target => {
        expect((await request(`GET ${target}`)).status).toBe(404)
      },
    )

    it.each(['/api/batch/jobs/%E0%A4%A', '/%ff', '/api/%zz', '/v1/%zz', 'nowhere', 'ftp://x/y'])(
      'GET %s is 400 in the form of its API',
      async target => {
        const response = await request(`GET ${target}`)
        expect(response.status).toBe(400)
        if (target.startsWith('/v1')) expect(JSON.parse(response.body).error.code).toBe('invalid_input')
        else if (response.body !== '') expect(expectEnvelope(response).code).toBe('INVALID_INPUT')
      },
    )

    it('unknown paths of the API are JSON errors: ours under /api, those of OpenAI under /v1', async () => {
      for (const path of ['/api', '/api/', '/api/nowhere', '/api/chat/a/b/c'])
        for (const method of ['GET', 'POST', 'DELETE']) {
          const response = await request(`${method} ${path}`)
          expect(response.status).toBe(404)
          expect(expectEnvelope(response).code).toBe('NOT_FOUND')
        }
      for (const path of ['/v1', '/v1/', '/v1/nowhere', '/v1/a/b']) {
        const response = await request(`POST ${path}`)
        expect(response.status).toBe(404)
        expect(JSON.parse(response.body)).toEqual({
          error: {
            message: expect.any(String),
            type: 'invalid_request_error',
            param: null,
            code: 'not_found',
          },
        })
      }
    })

    it('no Host and two are 400 in our envelope; HTTP/1.0 needs none', async () => {
      for (const headers of ['', 'host: a\r\nhost: b\r\n']) {
        const response = await send(`GET /api/health/live HTTP/1.1\r\n${headers}${CLOSE}`)
        expect(response.status).toBe(400)
        expectEnvelope(response)
        expectSecurityHeaders(response.headers)
      }
      expect((await send('GET /api/health/live HTTP/1.0\r\n\r\n')).status).toBe(200)
    })

    it.each([
      ['GET /api/kv?limit=1', 'a:99999'],
      ['GET /api/kv/a', '256.256.256.256'],
      ['GET /api/usage', 'a b'],
      ['GET /v1/models', '[::1'],
      ['GET /v1/none', 'a:99999'],
      ['GET http://a:99999/api/usage', 'localhost'],
    ])(
      '%s with the Host %s, of which no URL can be made, is 400 in the envelope of its API',
      async (line, name) => {
        const response = await send(
          `${line} HTTP/1.1\r\nhost: ${name}\r\nauthorization: Bearer none\r\n${CLOSE}`,
        )
        expect(response.status).toBe(400)
        expect(JSON.parse(response.body).error.message).toBe('The Host header is malformed.')
        expectSecurityHeaders(response.headers)
      },
    )

    it.each([
      ['another script', 'mock/模'],
      ['U+0000', 'mock/a\u0000b'],
      ['a line end', 'mock/a\nb'],
      ['201 characters', `mock/${'a'.repeat(196)}`],
    ])('a model whose name has %s, which no header can hold, is unknown on /v1', async (_, model) => {
      for (const path of ['chat/completions', 'messages', 'responses', 'embeddings', 'moderations']) {
        const messages = [{ role: 'user', content: 'Hi' }]
        const answer = await fetch(`${gateway.url}/v1/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model, max_tokens: 10, input: 'Hi', messages }),
        })
        expect([path, answer.status]).toEqual([path, 404])
        expect((await answer.json()).error.message).toContain('There is no model')
      }
    })

    it('what is no HTTP is 400 in our envelope, with the security headers', async () => {
      const response = await send('hello\r\n\r\n')
      expect(response.status).toBe(400)
      expectEnvelope(response)
      expectSecurityHeaders(response.headers)
      expect(response.headers.get('connection')).toBe('close')
    })
  })

  describe('offers and expectations', () => {
    const upgrade = (protocol: string) =>
      `connection: Upgrade, HTTP2-Settings\r\nupgrade: ${protocol}\r\nhttp2-settings: AAMAAABk\r\n`
    const chat = (more: string) =>
      `POST /api/chat HTTP/1.1\r\n${HOST}content-type: application/json\r\ncontent-length: ${CHAT.length}\r\n${more}\r\n`

    it.each(['h2c', 'websocket', 'TLS/1.0', 'nonsense'])(
      'an upgrade to %s is ignored: the request is answered, and what is pipelined after it too',
      async protocol => {
        const answer = await exchange(
          gateway.url,
          `${chat(upgrade(protocol))}${CHAT}GET /api/models HTTP/1.1\r\n${HOST}${upgrade(protocol)}\r\nGET /api/health/live HTTP/1.1\r\n${HOST}${CLOSE}`,
        )
        expect(answer.match(/HTTP\/1\.1 200 /g)).toHaveLength(3)
        expect(answer).toContain('"content":"Hi"')
        expect(answer).toContain('{"status":"ok"}')
      },
    )

    it('a body that comes after its upgrade is read', async () => {
      const [start, rest] = [CHAT.slice(0, 5), CHAT.slice(5)]
      const socket = createConnection(Number(new URL(gateway.url).port), '127.0.0.1')
      const head = chat(`${upgrade('h2c').replace('Upgrade,', 'Upgrade, close,')}`)
      socket.write(head + start)
      const answered = new Promise<string>(resolve => {
        let text = ''
        socket.on('data', data => {
          text += data
        })
        socket.on('close', () => resolve(text))
      })
      setImmediate(() => socket.write(rest))
      expect(await answered).toContain('"content":"Hi"')
    })

    it('an upgrade of a page or of /_next/webpack-hmr is answered and closed', async () => {
      for (const [path, status] of [
        ['/', 200],
        ['/_next/webpack-hmr', 404],
      ] as const) {
        const answer = await exchange(
          gateway.url,
          `GET ${path} HTTP/1.1\r\n${HOST}connection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n`,
        )
        expect(firstResponse(answer).status).toBe(status)
      }
    })

    it('a client that waits for 100 Continue is asked for a body that is wanted', async () => {
      const socket = createConnection(Number(new URL(gateway.url).port), '127.0.0.1')
      let text = ''
      const closed = new Promise(resolve => socket.once('close', resolve))
      socket.on('data', data => {
        if (text === '') socket.write(CHAT)
        text += data
      })
      socket.write(chat('expect: 100-continue\r\nconnection: close\r\n'))
      await closed
      expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
    })

    it.each<[string, string, number]>([
      ['a page', 'POST / HTTP/1.1', 405],
      ['an unknown method', 'PROPFIND /api/chat HTTP/1.1', 405],
      ['a body that is too large', 'POST /api/chat HTTP/1.1', 413],
    ])('and not for one that is refused: %s', async (_, line, status) => {
      const answer = await exchange(
        gateway.url,
        `${line}\r\n${HOST}content-type: application/json\r\ncontent-length: 50000000\r\nexpect: 100-continue\r\n\r\n`,
      )
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(firstResponse(answer).headers.get('connection')).toBe('close')
    })

    it('an unknown expectation is ignored', async () => {
      expect((await request('GET /api/health/live', 'expect: a-miracle\r\n')).status).toBe(200)
    })
  })

  describe('pages', () => {
    it.each([
      '/',
      '/nowhere',
      '/batch/',
      '/_next/static/nowhere.js',
      '/_next/image?url=%2Ficon.svg&w=64&q=75',
      '/icon.svg',
      '/favicon.ico',
      '/_next/nowhere',
    ])('carry the security headers: %s', async path => {
      const answer = await fetch(`${gateway.url}${path}`, { redirect: 'manual' })
      await answer.arrayBuffer()
      expectSecurityHeaders(answer.headers)
    })

    it('have no image optimiser', async () => {
      const answer = await fetch(`${gateway.url}/_next/image?url=%2Ficon.svg&w=64&q=75`)
      expect(answer.status).toBe(404)
    })

    it('are rendered 64 at a time; beyond that 503 with Retry-After, and then they go on', async () => {
      // Pipelined in one packet, all of them are there before the first has been rendered.
      const get = `GET / HTTP/1.1\r\n${HOST}`
      const answer = await exchange(gateway.url, `${`${get}\r\n`.repeat(99)}${get}${CLOSE}`)
      const responses = answer.split(/(?=HTTP\/1\.1 \d{3} )/).map(firstResponse)
      const statuses = responses.map(({ status }) => status)
      const rendered = statuses.indexOf(503)
      // The pages of the tests before may hold a place for a moment more.
      expect(rendered).toBeGreaterThan(56)
      expect(rendered).toBeLessThanOrEqual(64)
      expect(statuses).toEqual([...Array(rendered).fill(200), ...Array(100 - rendered).fill(503)])
      const refused = responses.at(-1)
      expect(refused?.headers.get('retry-after')).toBe('1')
      expect((await fetch(`${gateway.url}/`)).status).toBe(200)
    })
  })
})
