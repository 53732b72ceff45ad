import { globSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sendEncoded } from '../support/encoded.ts'
import type { FakeUpstream } from '../support/fake-upstream.ts'
import { type GatewayProcess, HOSTS, ROOT } from '../support/gateway.ts'
import { says } from '../support/upstream-behaviour.ts'
import { startUpstreamGateway, stopUpstreamGateway } from '../support/upstream-gateway.ts'

const LINES = Array.from({ length: 800 }, (_, index) => `line ${index}: grün 🎉\n`)
const LONG = LINES.join('')
const MEDIUM = LONG.slice(0, 3_000)
const TEXT_MOST = 256 * 1024

describe.each(HOSTS)('compression under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    ;({ upstream, gateway } = await startUpstreamGateway(host, () => ({
      ENABLE_CONSOLE: 'true',
      MAX_RESPONSE_BYTES: String(TEXT_MOST),
      ALLOWED_ORIGINS: 'https://app.example.com',
    })))
    for (const [name, content] of Object.entries({ long: LONG, medium: MEDIUM, short: 'short' }))
      upstream.forModel(name, says([content]))
    upstream.forModel('pieces', says(LINES.slice(0, 100)))
  })
  afterAll(() => stopUpstreamGateway({ upstream, gateway }))

  const get = (path: string, headers = {}, method = 'GET') =>
    sendEncoded(gateway.url, path, { method, headers })
  const ask = (model: string, headers: Record<string, string>, fields: object = {}) =>
    sendEncoded(gateway.url, '/api/chat', {
      method: 'POST',
      headers,
      body: { prompt: 'Hi', model: `openai/${model}`, ...fields },
    })

  describe('of JSON', () => {
    it.each([
      ['br', 'medium', MEDIUM],
      ['gzip', 'medium', MEDIUM],
      ['br', 'long', LONG],
      ['gzip', 'long', LONG],
    ])('%s: an answer above 1 kB is whole and smaller (%s)', async (encoding, model, content) => {
      const answer = await ask(model, { 'accept-encoding': encoding })
      expect(answer.headers).toMatchObject({
        'content-encoding': encoding,
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
        vary: expect.stringMatching(/\bAccept-Encoding\b/),
      })
      expect(JSON.parse(answer.body).content).toBe(content)
      expect(answer.sent).toBeLessThan(Buffer.byteLength(content) / 2)
      const length = answer.headers['content-length']
      expect(length === undefined ? answer.headers['transfer-encoding'] : Number(length)).toBe(
        length === undefined ? 'chunked' : answer.sent,
      )
    })

    it.each([
      ['br;q=0.5, gzip;q=0.9', 'gzip'],
      ['gzip, deflate, br, zstd', 'br'],
      ['br;q=0, gzip;q=0', undefined],
      ['identity', undefined],
      ['zstd', undefined],
    ])('follows %s: %s', async (header, encoding) => {
      const answer = await ask('medium', { 'accept-encoding': header })
      expect(answer.headers['content-encoding']).toBe(encoding)
      expect(answer.headers.vary).toMatch(/\bAccept-Encoding\b/)
      expect(JSON.parse(answer.body).content).toBe(MEDIUM)
    })

    it('none without Accept-Encoding, and its length is declared', async () => {
      const answer = await ask('medium', {})
      expect(answer.headers['content-encoding']).toBeUndefined()
      expect(JSON.parse(answer.body).content).toBe(MEDIUM)
    })

    // Next does not tell how long a body is.
    it.runIf(host === 'native')('none below 1 kB', async () => {
      const accepted = { 'accept-encoding': 'br, gzip' }
      for (const { headers } of [await ask('short', accepted), await get('/api/health/live', accepted)]) {
        expect(headers['content-encoding']).toBeUndefined()
        expect(headers.vary).toBe('Origin')
      }
    })

    it('none where the client says no-transform, and for HEAD', async () => {
      const accepted = { 'accept-encoding': 'br, gzip' }
      const answers = [
        await ask('long', { ...accepted, 'cache-control': 'no-transform' }),
        await get('/api/models', accepted, 'HEAD'),
      ]
      for (const { status, headers } of answers) {
        expect(status).toBe(200)
        expect(headers['content-encoding']).toBeUndefined()
      }
    })

    it('of a list, of an error and of metrics too', async () => {
      const accepted = { 'accept-encoding': 'br' }
      const models = await get('/api/models', accepted)
      const metrics = await get('/metrics', accepted)
      const error = await sendEncoded(gateway.url, '/api/chat', {
        method: 'POST',
        headers: accepted,
        body: Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`unknown${index}`, 1])),
      })
      expect(JSON.parse(models.body).models.length).toBeGreaterThan(3)
      expect(metrics.body).toContain('# TYPE')
      expect(error.status).toBe(400)
      expect([models, metrics].map(({ headers }) => headers['content-encoding'])).toEqual(['br', 'br'])
      expect(JSON.parse(error.body).error.code).toBe('INVALID_INPUT')
    })

    it('names the origin in Vary as well', async () => {
      const headers = { 'accept-encoding': 'br', origin: 'https://app.example.com' }
      expect((await get('/api/models', headers)).headers.vary).toMatch(/\bOrigin, Accept-Encoding$/)
    })
  })

  it('none of event streams, which arrive as they are written', async () => {
    const answer = await ask('pieces', { 'accept-encoding': 'br, gzip' }, { stream: true })
    expect(answer.headers['content-type']).toMatch('text/event-stream')
    expect(answer.headers['content-encoding']).toBeUndefined()
    expect(answer.body.match(/^event: delta$/gm)?.length).toBeGreaterThan(0)
  })

  it('is not done to a batch’s results: what waits for a slow reader would be held for each', async () => {
    const made = await sendEncoded(gateway.url, '/api/batch/jobs', {
      method: 'POST',
      body: { items: [{ prompt: 'Hi', model: 'openai/long' }] },
    })
    const path = `/api/batch/jobs/${JSON.parse(made.body).id}`
    const progress = await get(`${path}/events`, { 'accept-encoding': 'br, gzip' })
    expect(progress.headers['content-encoding']).toBeUndefined()
    const answer = await get(`${path}/results?format=jsonl`, { 'accept-encoding': 'br, gzip' })
    expect(answer.headers['content-encoding']).toBeUndefined()
    expect(JSON.parse(answer.body).content).toBe(LONG)
  })

  describe('of pages and their files', () => {
    const chunk = () =>
      `/_next/${globSync('static/chunks/*.js.br', { cwd: join(ROOT, '.next') })[0]?.slice(0, -'.br'.length)}`

    it.each(['br', 'gzip'])('%s: of a page', async encoding => {
      const answer = await get('/', { 'accept-encoding': encoding })
      expect(answer.headers['content-encoding']).toBe(encoding)
      expect(answer.headers.vary).toMatch(/\bAccept-Encoding\b/)
      expect(answer.body).toMatch(/^<!DOCTYPE html>[\s\S]*<\/html>$/)
    })

    it('the same script, as br, as gzip and as it is, immutable, each with a tag of its own', async () => {
      const answers = await Promise.all(
        ['br, gzip', 'gzip', 'br;q=0', 'identity'].map(header => get(chunk(), { 'accept-encoding': header })),
      )
      expect(answers.map(({ headers }) => headers['content-encoding'])).toEqual([
        'br',
        'gzip',
        undefined,
        undefined,
      ])
      for (const { status, headers, sent, body } of answers) {
        expect(status).toBe(200)
        expect(body === answers[3]?.body).toBe(true)
        expect(headers).toMatchObject({
          'content-type': 'text/javascript; charset=utf-8',
          'cache-control': 'public, max-age=31536000, immutable',
          'content-length': String(sent),
          'x-content-type-options': 'nosniff',
          vary: 'Accept-Encoding',
        })
      }
      const [br, gzip, plain, same] = answers.map(({ headers }) => headers.etag)
      expect(new Set([br, gzip, plain]).size).toBe(3)
      expect(same).toBe(plain)
    })

    it('304 where the client has it', async () => {
      const accepted = { 'accept-encoding': 'br' }
      const { headers } = await get(chunk(), accepted)
      const tag = headers.etag ?? ''
      for (const condition of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
        const again = await get(chunk(), { ...accepted, 'if-none-match': condition })
        expect(again).toMatchObject({ status: 304, sent: 0, headers: { etag: tag, vary: 'Accept-Encoding' } })
        expect(again.headers['content-encoding']).toBeUndefined()
      }
      const other = await get(chunk(), { 'accept-encoding': 'gzip', 'if-none-match': tag })
      expect(other.status).toBe(200)
    })

    it('a part of it, and 416 beyond its end', async () => {
      const part = await get(chunk(), { range: 'bytes=0-9' })
      expect(part).toMatchObject({ status: 206, sent: 10 })
      expect(await get(chunk(), { range: 'bytes=99999999-' })).toMatchObject({ status: 416, sent: 0 })
    })

    it.each([
      '/_next/static/../../package.json',
      '/_next/static/%2e%2e/%2e%2e/package.json',
      '/_next/static/..%2f..%2fpackage.json',
      '/_next/static/..%5c..%5cpackage.json',
      '/_next/static/chunks/..%252f..%252f..%252fpackage.json',
      '/_next/static//etc/passwd',
      '/_next/static/chunks%00.js',
      '/_next/static/chunks/',
      '/_next/static/chunks',
      '/_next/static',
      '/_next/server/app/icon.svg.body',
      '/icon.svg.body',
      '/icon.svg/',
      '/server/app/icon.svg.body',
      '/_next/build-manifest.json',
      '/_next/../.env',
      '/__proto__',
    ])('gives out nothing else: %s', async path => {
      for (const method of ['GET', 'HEAD']) {
        const { status, body } = await get(path, { 'accept-encoding': 'br' }, method)
        expect([308, 400, 404]).toContain(status)
        expect(body).not.toMatch(/"dependencies"|root:|<svg xmlns/)
      }
    })
  })

  describe('the icon', () => {
    it('has a tag and a date, by which a client that has it gets 304', async () => {
      const first = await get('/icon.svg')
      const { etag = '', 'last-modified': modified = '' } = first.headers
      expect(first).toMatchObject({ status: 200, headers: { 'content-type': 'image/svg+xml' } })
      expect(etag).toMatch(/^"[\w-]{22}"$/)
      expect((await get('/icon.svg?again')).headers.etag).toBe(etag)
      for (const condition of [{ 'if-none-match': etag }, { 'if-modified-since': modified }])
        expect(await get('/icon.svg', condition)).toMatchObject({ status: 304, sent: 0, headers: { etag } })
      expect(await get('/icon.svg', { 'if-none-match': '"other"' })).toMatchObject({ status: 200 })
      expect(await get('/icon.svg', {}, 'HEAD')).toMatchObject({ status: 200, sent: 0, headers: { etag } })
    })
  })
})
