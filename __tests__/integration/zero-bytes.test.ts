import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiDocument } from '#lib/http/openapi/document.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { operationsIn } from '../support/openapi.ts'
import { PostgresServer } from '../support/postgres.ts'

const ADMIN_TOKEN = 'q7Vt2mXc9LpR4sZk8HwJ1nYb'
const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` }
const STREAMS = /\/(events|stream)$/
const ZERO = '%00'
/** Cursors and ids that hold one where they are decoded. */
const TEXTS = [ZERO, `a${ZERO}b`, Buffer.from('1 a\0').toString('base64url'), `owner:${ZERO}`]

/** Postgres refuses the character U+0000 in any text. */
describe.each(HOSTS)('on Postgres under the %s server, U+0000', host => {
  let postgres: PostgresServer
  let gateway: GatewayProcess
  let document: ApiDocument
  beforeAll(async () => {
    postgres = await PostgresServer.start()
    gateway = await GatewayProcess.start(host, {
      DATABASE_URL: await postgres.database(),
      ADMIN_TOKEN,
      ENABLE_RATE_LIMITING: 'false',
      DEFAULT_MODEL: 'mock',
    })
    document = await (await fetch(`${gateway.url}/openapi.json`)).json()
  })
  afterAll(async () => {
    await gateway?.stop()
    await postgres?.remove()
  })

  const ask = async (path: string, init: RequestInit = {}): Promise<number> => {
    const answer = await fetch(`${gateway.url}${path}`, { ...init, headers: { ...ADMIN, ...init.headers } })
    await answer.body?.cancel()
    return answer.status
  }
  const statusesOf = async (addresses: readonly string[]) => {
    const found: string[] = []
    for (const address of addresses) found.push(`${address}: ${await ask(address)}`)
    return found
  }

  it('in any query is no failure of the gateway', async () => {
    const addresses = operationsIn(document)
      .filter(({ method, path }) => method === 'GET' && !STREAMS.test(path) && !path.includes('{'))
      .flatMap(({ path, operation: { parameters = [] } }) =>
        parameters
          .filter(({ in: place }) => place === 'query')
          .flatMap(({ name }) => TEXTS.map(text => `${path}?${name}=${text}`)),
      )
    const statuses = await statusesOf(addresses)
    expect(statuses.filter(line => !/: [24]\d\d$/.test(line))).toEqual([])
    expect(statuses).toContain('/v1/files?purpose=%00: 400')
    expect(statuses).toContain('/v1/messages/batches?before_id=a%00b: 400')
  })

  it('in any address is no failure of the gateway', async () => {
    const addresses = operationsIn(document)
      .filter(({ method, path }) => method === 'GET' && !STREAMS.test(path) && path.includes('{'))
      .flatMap(({ path }) => TEXTS.map(text => path.replaceAll(/\{[^}]+\}/g, text)))
    expect(addresses.length).toBeGreaterThan(20)
    expect((await statusesOf(addresses)).filter(line => !/: 4\d\d$/.test(line))).toEqual([])
  })

  it.each<[string, object]>([
    ['v1/batches', { input_file_id: '\0', endpoint: '/v1/chat/completions', completion_window: '24h' }],
    ['v1/messages/batches', { requests: [{ custom_id: 'a\0', params: { model: 'a' } }] }],
    ['v1/responses', { model: 'mock', input: [{ type: 'item_reference', id: 'a\0' }] }],
    ['v1/responses', { model: 'mock', input: 'a', previous_response_id: 'resp_\0' }],
    ['api/batch/jobs', { items: [{ id: 'a\0', prompt: 'a' }] }],
    ['api/batch/jobs', { name: 'a\0', items: [{ prompt: 'a' }] }],
    ['api/evaluations', { dataset: '\0', variants: [{ model: 'mock' }], graders: ['exact'] }],
    ['api/evaluations/datasets', { name: 'a\0', rows: [{ input: 'a' }] }],
    ['api/evaluations/datasets', { rows: [{ id: 'a\0', input: 'a' }] }],
  ])('in what is looked up or stored as a text is refused: POST /%s %j', async (path, body) => {
    const headers = { 'content-type': 'application/json' }
    const status = await ask(`/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(status.toString()).toMatch(/^4\d\d$/)
  })

  it.each<[string, object]>([
    ['api/evaluations/datasets', { rows: [{ input: 'a\0', metadata: { '\0': '\0' } }] }],
    ['api/batch/jobs', { items: [{ messages: [{ role: 'user', content: 'a\0b' }] }] }],
  ])('in a content is accepted: POST /%s %j', async (path, body) => {
    const headers = { 'content-type': 'application/json' }
    const status = await ask(`/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(status.toString()).toMatch(/^20[12]$/)
  })
})
