import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS, ROOT } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-request.ts'

type Declared = Readonly<{ route: string; access: string; methods: readonly string[] }>

const declaredIn = (file: string): Declared => {
  const source = readFileSync(join(ROOT, 'app', file), 'utf8')
  const [, route = ''] = /route: '([^']+)'/.exec(source) ?? []
  const [, access = ''] = /access: '(\w+)'/.exec(source) ?? []
  const methods = [...source.matchAll(/\b(GET|POST|PUT|PATCH|DELETE): /g)].map(([, method = '']) => method)
  return { route, access, methods: [...new Set(methods)] }
}

const ROUTES = globSync('**/route.ts', { cwd: join(ROOT, 'app') }).map(declaredIn)
const REQUESTS = ROUTES.flatMap(({ route, access, methods }) =>
  methods.map(method => [access, method, route.replace('*', 'nothing').replace('{id}', 'none')] as const),
)

const requestsOf = (access: string) => REQUESTS.filter(([declared]) => declared === access)

/** One that is good wherever a body is read before the caller is known. */
const CHAT = '{"prompt":"Hi","model":"mock/echo"}'
const ADMIN_TOKEN = 'the-token-of-the-admin'
const METRICS_TOKEN = 'the-token-of-the-scraper'

describe.each(HOSTS)('each route lets in whom it declares, under the %s host', host => {
  let gateway: GatewayProcess

  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      REQUIRE_API_KEY: 'true',
      ADMIN_TOKEN,
      METRICS_TOKEN,
      ENABLE_RATE_LIMITING: 'false',
    })
  })
  afterAll(() => gateway?.stop())

  const send = (method: string, path: string, headers: Record<string, string> = {}) =>
    sendRaw(gateway.url, {
      method,
      path,
      headers: { ...(method !== 'GET' && { 'content-type': 'application/json' }), ...headers },
      ...(method !== 'GET' && { body: CHAT }),
    })

  /** The error in the form of the API that the path belongs to. */
  const unauthenticated = (path: string) => {
    if (path.startsWith('/v1/messages')) return { type: 'error', error: { type: 'authentication_error' } }
    return { error: { code: path.startsWith('/v1/') ? 'invalid_api_key' : 'UNAUTHENTICATED' } }
  }

  it('has requests of every kind to look at', () => {
    expect(new Set(REQUESTS.map(([access]) => access))).toEqual(
      new Set(['public', 'caller', 'admin', 'metrics']),
    )
  })

  it.each([...requestsOf('caller'), ...requestsOf('admin'), ...requestsOf('metrics')])(
    '%s: %s %s refuses a stranger',
    async (_, method, path) => {
      expect(await send(method, path)).toMatchObject({
        status: 401,
        json: unauthenticated(path),
      })
    },
  )

  it.each([...requestsOf('caller'), ...requestsOf('metrics')])(
    '%s: %s %s refuses the token of the admin',
    async (_, method, path) => {
      const answer = await send(method, path, { authorization: `Bearer ${ADMIN_TOKEN}` })
      expect(answer).toMatchObject({ status: 401, json: unauthenticated(path) })
    },
  )

  it.each(requestsOf('admin'))('%s: %s %s refuses the token for metrics', async (_, method, path) => {
    const answer = await send(method, path, { authorization: `Bearer ${METRICS_TOKEN}` })
    expect(answer).toMatchObject({ status: 401, json: unauthenticated(path) })
  })

  it.each(requestsOf('public'))('%s: %s %s asks a stranger for nothing', async (_, method, path) => {
    expect([401, 403, 429]).not.toContain((await send(method, path)).status)
  })

  it('lets in the admin and the scraper with their own tokens', async () => {
    const admin = await send('GET', '/api/admin/cache', { authorization: `Bearer ${ADMIN_TOKEN}` })
    const scraper = await send('GET', '/metrics', { authorization: `Bearer ${METRICS_TOKEN}` })
    expect([admin.status, scraper.status]).toEqual([200, 200])
  })
})
