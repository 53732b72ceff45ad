import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkConfig } from '#lib/config/check.ts'
import { httpToolsOf } from '#lib/config/http-tools.ts'
import { allListings } from '#lib/gateway/providers.ts'
import type { HttpToolDefinition } from '#lib/tools/http/definition.ts'
import { httpTool } from '#lib/tools/http/tool.ts'
import { FakeService, json } from '../../support/fake-service.ts'
import { newRunner } from '../../support/tools.ts'

let service: FakeService
/** How the configuration file names an environment variable. */
const reference = (name: string): string => `\${${name}}`
beforeAll(async () => {
  service = await FakeService.start()
  service
    .on('/items/a%2Fb', json({ id: 'a/b' }))
    .on('/orders', json({ done: true }))
    .on(
      '/page',
      response => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hello</p>'),
    )
    .on(
      '/long',
      response => void response.writeHead(200, { 'content-type': 'text/plain' }).end('é'.repeat(100)),
    )
    .on('/picture', response => void response.writeHead(200, { 'content-type': 'image/png' }).end('x'))
    .on('/pets/7/visits', json({ id: 7 }))
})
afterAll(() => service.stop())

const PETSTORE = () => ({
  openapi: '3.1.0',
  servers: [{ url: service.url }],
  paths: {
    '/pets/{petId}/visits': {
      parameters: [{ $ref: '#/components/parameters/PetId' }],
      post: {
        operationId: 'addVisit',
        summary: 'Adds a visit.',
        parameters: [
          { name: 'notify', in: 'query', schema: { type: 'boolean' } },
          { name: 'X-Trace', in: 'header', schema: { type: 'string' } },
          { name: 'Authorization', in: 'header', schema: { type: 'string' } },
        ],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Visit' } } },
        },
      },
      get: {
        operationId: 'loop',
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Loop' } } } },
      },
    },
  },
  components: {
    parameters: { PetId: { name: 'petId', in: 'path', required: true, schema: { type: 'integer' } } },
    schemas: {
      Visit: {
        type: 'object',
        required: ['reason'],
        properties: {
          reason: { type: 'string', minLength: 2 },
          dates: { type: 'array', items: { type: 'string' } },
        },
      },
      Loop: { type: 'object', properties: { again: { $ref: '#/components/schemas/Loop' } } },
    },
  },
})

const built = (definition: Partial<HttpToolDefinition>) =>
  httpTool(
    { name: 'mine', description: 'Does it.', ...definition },
    {
      variable: name => ({ SECRET: 's3cret-value' })[name],
      document: () => PETSTORE(),
    },
  )

const ITEM = {
  parameters: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      unit: { type: 'string' },
      tag: { type: 'array' },
      page: { type: 'integer' },
    },
    required: ['id'],
  },
}

describe('an HTTP tool', () => {
  it('puts its arguments into path and query, encoded, and its secret into a header', async () => {
    const tool = built({
      ...ITEM,
      url: `${service.url}/items/{id}?u={unit}&fixed=1&p={page}`,
      headers: { Authorization: `Bearer ${reference('SECRET')}` },
      attribution: 'By us',
    })
    const run = await newRunner().run(tool, { id: 'a/b', unit: 'x&y=z', tag: ['1', '2'] })
    expect(run).toMatchObject({
      ok: true,
      result: {
        tool: 'mine',
        service: 'http:mine',
        attribution: 'By us',
        untrusted: true,
        data: { id: 'a/b' },
      },
    })
    const asked = service.received.at(-1)
    expect(asked?.url.search).toBe('?u=x%26y%3Dz&fixed=1&tag=1&tag=2')
    expect(asked?.headers.authorization).toBe('Bearer s3cret-value')
    expect(JSON.stringify(run)).not.toContain('s3cret')
  })

  it.each(['..', '.', ''])('refuses the argument %j in its path, which would leave it', async id => {
    const tool = built({ ...ITEM, url: `${service.url}/items/{id}` })
    const before = service.received.length
    expect(await newRunner().run(tool, { id })).toMatchObject({ ok: false, reason: 'arguments' })
    expect(service.received.length).toBe(before)
  })

  it('refuses arguments that its schema does not allow', async () => {
    const tool = built({ ...ITEM, url: `${service.url}/items/{id}` })
    for (const input of [{}, { id: 1 }, { id: 'a', other: 1 }, { id: 'a', page: 1.5 }])
      expect(await newRunner().run(tool, input)).toMatchObject({ ok: false, reason: 'arguments' })
  })

  it('posts the remaining arguments as JSON, each time, also for the same arguments at the same time', async () => {
    const parameters = {
      type: 'object',
      properties: { item: { type: 'string' }, count: { type: 'integer' } },
    }
    const tool = built({ url: `${service.url}/orders`, method: 'POST', parameters })
    const { run } = newRunner()
    const runs = await Promise.all([1, 2].map(() => run(tool, { item: 'pen', count: 2 })))
    expect(runs).toMatchObject([{ cache: 'miss' }, { cache: 'miss' }])
    const asked = service.of('/orders')
    expect(asked.map(({ body }) => JSON.parse(body))).toEqual([1, 2].map(() => ({ item: 'pen', count: 2 })))
    expect(asked[0]?.headers['content-type']).toBe('application/json')
  })

  it('gives text as text, cuts a long answer at its bytes, and refuses what is no text', async () => {
    const { run } = newRunner()
    expect(await run(built({ url: `${service.url}/page` }), {})).toMatchObject({
      result: { data: { text: '<p>Hello</p>' } },
    })
    expect(await run(built({ url: `${service.url}/long`, maxBytes: 11 }), {})).toMatchObject({
      result: { data: { text: expect.stringMatching(/^é{5}/), truncated: true } },
    })
    expect(await run(built({ url: `${service.url}/picture` }), {})).toMatchObject({ reason: 'malformed' })
  })

  it('is an operation of an OpenAPI document, with its references, parameters and body', async () => {
    const tool = built({
      openapi: { file: 'x', operation: 'addVisit' },
      headers: { 'x-api-key': reference('SECRET') },
    })
    expect(tool.parameters).toMatchObject({
      properties: {
        petId: { type: 'integer' },
        notify: {},
        'X-Trace': {},
        reason: { minLength: 2 },
        dates: {},
      },
      required: ['petId', 'reason'],
    })
    expect(tool.parameters).not.toHaveProperty('properties.Authorization')
    const input = { petId: 7, notify: true, reason: 'cough', dates: ['x'], 'X-Trace': 'a\r\nb: c' }
    expect(await newRunner().run(tool, input)).toMatchObject({ ok: true, result: { data: { id: 7 } } })
    const asked = service.of('/pets/7/visits').at(-1)
    expect([asked?.method, asked?.url.search]).toEqual(['POST', '?notify=true'])
    expect(asked?.headers).toMatchObject({ 'x-trace': 'a  b: c', 'x-api-key': 's3cret-value' })
    expect(JSON.parse(asked?.body ?? '')).toEqual({ reason: 'cough', dates: ['x'] })
  })

  it.each<[string, Partial<HttpToolDefinition>, RegExp]>([
    ['neither address nor operation', {}, /needs a url/],
    ['both', { url: 'http://a.example', openapi: { file: 'x', operation: 'addVisit' } }, /both/],
    ['another scheme', { url: 'ftp://a.example/' }, /http/],
    ['an argument in its host', { ...ITEM, url: 'http://{id}.example/' }, /host/],
    ['a password in its address', { url: 'http://u:p@a.example/' }, /host/],
    ['an unknown argument in its path', { url: 'http://a.example/{nothing}' }, /\{nothing\}/],
    [
      'a variable that is not set',
      { url: 'http://a.example/', headers: { a: reference('MISSING') } },
      /MISSING/,
    ],
    ['parameters that are a list', { url: 'http://a.example/', parameters: { type: 'array' } }, /object/],
    ['an unknown operation', { openapi: { file: 'x', operation: 'none' } }, /no such operation/],
    ['a schema without an end', { openapi: { file: 'x', operation: 'loop' } }, /itself/],
  ])('with %s is a fault of the configuration', (_, definition, message) => {
    expect(() => built(definition)).toThrow(message)
  })
})

describe('tools.http in the configuration file', () => {
  const faultsOf = (tools: object) => {
    const checked = checkConfig(JSON.stringify({ tools }), allListings())
    return checked.ok ? [] : checked.faults.map(({ path, message }) => `${path}: ${message}`)
  }
  const good = { name: 'mine', description: 'x', url: 'http://a.example/' }

  it('takes an address, or an operation of a document in YAML', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'parley-openapi-')), 'api.yaml')
    writeFileSync(
      file,
      'servers: [{url: http://a.example}]\npaths: {/x: {get: {operationId: x, summary: X}}}\n',
    )
    expect(faultsOf({ http: [good, { name: 'other', openapi: { file, operation: 'GET /x' } }] })).toEqual([])
  })

  it.each([
    [{ http: [good, good] }, 'tools.http[1]: has the name of another tool'],
    [{ http: [{ ...good, name: 'weather' }] }, 'tools.http[0]: has the name of another tool'],
    [{ http: [{ ...good, name: 'a b' }] }, /^tools\.http\[0\]\.name: must have/],
    [{ http: [{ ...good, secret: 1 }] }, 'tools.http[0].secret: is not a setting'],
    [{ http: [{ ...good, url: undefined, openapi: { file: '/none', operation: 'x' } }] }, /cannot be read/],
  ])('names the fault of %j', (tools, fault) => {
    expect(faultsOf(tools)).toEqual([typeof fault === 'string' ? fault : expect.stringMatching(fault)])
  })

  it('needs the variables that its headers name', () => {
    const file = { tools: { http: [{ ...good, headers: { 'x-key': reference('NO_SUCH_VARIABLE') } }] } }
    expect(faultsOf(file.tools)).toEqual([])
    expect(() => httpToolsOf(file, [])).toThrow(
      'tools.http[0]: needs the variable NO_SUCH_VARIABLE, which is not set',
    )
    const set = { tools: { http: [{ ...good, headers: { 'x-path': reference('PATH') } }] } }
    expect(httpToolsOf(set, []).map(({ name }) => name)).toEqual(['mine'])
  })
})
