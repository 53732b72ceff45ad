import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiDocument, DocumentResponse } from '#lib/http/openapi/document.ts'
import { BatchClient } from '../support/batch.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { type Documented, operationsIn, Schemas } from '../support/openapi.ts'

const ADMIN_TOKEN = 'the-token-of-the-admin'
const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` }
/** The admin's token, where an operation cannot be used without. */
/** Where they are needed; metrics are for admins alone once there are keys, and the examples make some. */
const credentialsFor = ({ path, operation: { security } }: Documented): Record<string, string> =>
  path !== '/metrics' && security.some(scheme => Object.keys(scheme).length === 0) ? {} : ADMIN
const ORIGIN = 'https://app.example'

describe.each(HOSTS)('under the %s server, /openapi.json', host => {
  let gateway: GatewayProcess
  let document: ApiDocument
  let schemas: Schemas

  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      ENABLE_RATE_LIMITING: 'false',
      ADMIN_TOKEN,
      ALLOWED_ORIGINS: ORIGIN,
    })
    document = await (await fetch(`${gateway.url}/openapi.json`)).json()
    schemas = new Schemas(document)
  })
  afterAll(() => gateway?.stop())

  /** An answer's body has the schema of its status, or is an empty or another kind of text. */
  const assertDocumented = async (
    { method, path, operation }: Documented,
    answer: Response,
  ): Promise<unknown> => {
    const what = `${method} ${path}: ${answer.status}`
    const response = operation.responses[answer.status] as DocumentResponse | undefined
    expect(response, what).toBeDefined()
    const type = answer.headers.get('content-type')?.split(';')[0]
    if (type === undefined || !response?.content) {
      expect(await answer.text(), what).toBe('')
      return undefined
    }
    const media = response.content[type] ?? response.content[`${type.split('/')[0]}/*`]
    expect(media, `${what} ${type}`).toBeDefined()
    if (type !== 'application/json') return void (await answer.arrayBuffer())
    const body = await answer.json()
    expect(schemas.faultsOf(media?.schema, body), what).toEqual([])
    return body
  }

  const operationOf = (method: string, path: string): Documented => {
    const found = operationsIn(document).find(one => one.method === method && one.path === path)
    if (!found) throw new Error(`${method} ${path} is not documented`)
    return found
  }

  it('is public, has an ETag, HEAD and 304, and CORS for an allowed origin', async () => {
    const url = `${gateway.url}/openapi.json`
    const answer = await fetch(url, { headers: { origin: ORIGIN } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
    const etag = answer.headers.get('etag') ?? ''
    expect(etag).toMatch(/^(W\/)?"[\w-]{22}"$/)
    const again = await fetch(url, { headers: { 'if-none-match': `"other", ${etag}` } })
    expect([again.status, await again.text()]).toEqual([304, ''])
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, ''])
    expect((await fetch(url, { method: 'POST' })).status).toBe(405)
  })

  it('has a page for people at /docs, where the web pages are on', async () => {
    const pages = await GatewayProcess.start(host, {
      ENABLE_CONSOLE: 'true',
      PUBLIC_URL: 'https://gateway.example',
    })
    try {
      const answer = await fetch(`${pages.url}/docs`)
      expect(answer.status).toBe(200)
      const html = await answer.text()
      expect(html).toContain('id="postApiChat"')
      expect(html).toContain('curl --no-buffer https://gateway.example/api/chat')
    } finally {
      await pages.stop()
    }
  })

  it('holds nothing of the environment but its limits', () => {
    expect(JSON.stringify(document)).not.toContain(ADMIN_TOKEN)
  })

  it('lists for every path exactly the methods that its route allows', async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const answer = await fetch(gateway.url + path.replaceAll(/\{\w+\}/g, '0'), { method: 'OPTIONS' })
      const allowed = (answer.headers.get('allow') ?? '').split(', ')
      const documented = Object.keys(methods).map(method => method.toUpperCase())
      expect(allowed.filter(method => method !== 'OPTIONS' && method !== 'HEAD').toSorted(), path).toEqual(
        documented.toSorted(),
      )
    }
  })

  it('has the right schema for the real answer to every example of a JSON body', async () => {
    let count = 0
    for (const documented of operationsIn(document)) {
      const { method, path, operation } = documented
      const examples = operation.requestBody?.content['application/json']?.examples ?? {}
      // A batch needs a file that was uploaded before, an evaluation a data set.
      if (path.includes('{') || path === '/v1/batches' || path === '/api/evaluations') continue
      for (const { value } of Object.values(examples)) {
        count += 1
        const answer = await fetch(gateway.url + path, {
          method,
          headers: { ...credentialsFor(documented), 'content-type': 'application/json' },
          body: JSON.stringify(value),
        })
        expect(answer.status, `${method} ${path} ${JSON.stringify(value)}`).toBeLessThan(300)
        await assertDocumented(documented, answer)
      }
    }
    expect(count).toBeGreaterThanOrEqual(18)
  })

  it('has the right schema for the real answer to every GET without parameters', async () => {
    let count = 0
    for (const documented of operationsIn(document)) {
      const { method, path, operation } = documented
      const isStream = JSON.stringify(operation.responses).includes('text/event-stream')
      if (method !== 'GET' || path.includes('{') || isStream) continue
      count += 1
      const answer = await fetch(gateway.url + path, { headers: credentialsFor(documented) })
      expect(answer.status, path).toBe(200)
      if (path !== '/openapi.json') await assertDocumented(documented, answer)
    }
    expect(count).toBeGreaterThanOrEqual(10)
  })

  it('has the right schema for a job, its items and its changes', async () => {
    const batches = new BatchClient(gateway.url)
    const { id } = await batches.submit([
      { prompt: 'One?' },
      { id: 'bad', prompt: 'Two?', model: 'mock/500' },
    ])
    const jobs = '/api/batch/jobs/{id}'
    const send = async (method: string, path: string, init: RequestInit = {}) => {
      const url = gateway.url + path.replace('{id}', id).replace('{index}', '0')
      return assertDocumented(operationOf(method, path), await fetch(url, { method, ...init }))
    }
    await batches.until(id, ({ counts }) => counts.succeeded === 1)
    await send('GET', jobs)
    await send('PATCH', jobs, {
      body: '{"priority":"high"}',
      headers: { 'content-type': 'application/json' },
    })
    await send('POST', `${jobs}/cancel`)
    await batches.until(id, ({ state }) => state === 'cancelled')
    const job = await send('GET', jobs)
    expect(job).toMatchObject({ items: [{ state: 'succeeded' }, { id: 'bad' }] })
    await send('GET', `${jobs}/items/{index}`)
    await send('GET', `${jobs}/results`)
    await send('DELETE', jobs)
    const gone = await fetch(`${gateway.url}/api/batch/jobs/${id}`)
    expect(gone.status).toBe(404)
    expect(schemas.faultsOf({ $ref: '#/components/schemas/Error' }, await gone.json())).toEqual([])
  })

  it('has the right schema for forms', async () => {
    for (const path of [
      '/v1/audio/transcriptions',
      '/v1/audio/translations',
      '/v1/images/edits',
      '/api/batch/upload',
    ]) {
      const form = new FormData()
      const file = new Blob(['Question?'])
      const fields = path.startsWith('/v1') ? { model: 'mock', prompt: 'x' } : { name: 'x' }
      for (const [name, value] of Object.entries(fields)) form.append(name, value)
      form.append(path.includes('images') ? 'image' : 'file', file, 'a.txt')
      const answer = await fetch(gateway.url + path, { method: 'POST', body: form })
      expect(answer.status, path).toBeLessThan(300)
      await assertDocumented(operationOf('POST', path), answer)
    }
  })

  it('has the right schema for the errors of each API', async () => {
    for (const [path, schema] of [
      ['/api/chat', 'Error'],
      ['/v1/chat/completions', 'OpenAiError'],
      ['/v1/messages', 'AnthropicError'],
    ] as const) {
      const answer = await fetch(gateway.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"model":7}',
      })
      expect(answer.status).toBe(400)
      expect(schemas.faultsOf({ $ref: `#/components/schemas/${schema}` }, await answer.json())).toEqual([])
    }
  })
})
