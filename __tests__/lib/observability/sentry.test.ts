import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redactor } from '#lib/observability/redact.ts'
import { type ErrorReporter, reportErrors } from '#lib/observability/sentry.ts'

const SECRET = 'sk-the-gateways-own-key'

describe('Sentry', () => {
  const envelopes: string[] = []
  let reporter: ErrorReporter
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    envelopes.push(
      (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('utf8'),
    )
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })

  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const dsn = `http://public@127.0.0.1:${(server.address() as AddressInfo).port}/42`
    reporter = await reportErrors(dsn, { environment: 'test', release: '1.2.3', redact: redactor([SECRET]) })
  })
  afterAll(() => server.close())

  const sent = async (): Promise<string> => {
    await reporter.flush(5_000)
    return envelopes.filter(envelope => envelope.includes('"exception"')).join('\n')
  }

  it('gets our own failures, with route and request id', async () => {
    reporter.capture(new Error(`broke with ${SECRET}`), { requestId: 'request-7', route: '/api/chat' })
    const envelope = await sent()
    expect(envelope).toContain('broke with ***')
    expect(envelope).toContain('"requestId":"request-7"')
    expect(envelope).toContain('"route":"/api/chat"')
    expect(envelope).toContain('"release":"1.2.3"')
    expect(envelope).toContain('"category":"request"')
  })

  it('gets no secret, and nothing of requests, users or this machine', async () => {
    const envelope = await sent()
    for (const forbidden of [SECRET, '"request":', '"user":', '"server_name"', '"vars"', 'process.env'])
      expect(envelope).not.toContain(forbidden)
  })
})

describe('without a DSN', () => {
  it('nothing is loaded and nothing is done', async () => {
    const reporter = await reportErrors(undefined, {
      environment: 'test',
      release: '1',
      redact: text => text,
    })
    reporter.capture(new Error('x'), { route: '/' })
    expect(await reporter.flush(1)).toBeUndefined()
  })
})
