import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newKey } from '#lib/auth/keys/format.ts'
import { GatewayProcess, HOSTS, ROOT } from '../support/gateway.ts'

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
  methods.map(
    method => [access, method, route.replace('*', 'nothing').replaceAll(/\{\w+\}/g, 'none')] as const,
  ),
)

/** One that is good wherever a body is read before the caller is known. */
const CHAT = '{"prompt":"Hi","model":"mock/echo"}'
const ADMIN_TOKEN = 'the-token-of-the-admin'
const METRICS_TOKEN = 'the-token-of-the-scraper'

const CONFLICT = { status: 400, body: expect.stringContaining('carry different keys') }

/** How a credential is sent. */
const FORMS: Readonly<Record<string, (key: string) => Record<string, string>>> = {
  Bearer: key => ({ authorization: `Bearer ${key}` }),
  'x-api-key': key => ({ 'x-api-key': key }),
  'api-key': key => ({ 'api-key': key }),
}

/** Credentials that are refused everywhere. */
const REFUSED = ['none', 'bad', 'revoked', 'expired', 'replaced'] as const
/** Credentials that are admitted, by role. */
const MEMBERS = ['member', 'member of another owner'] as const
const ADMINS = ['admin', 'admin token'] as const

/** The status class that each access has for each kind of credential; `in`: neither 401 nor 403. */
const EXPECTED: Readonly<Record<string, Readonly<{ refused: unknown; member: unknown; admin: unknown }>>> = {
  public: { refused: 'in', member: 'in', admin: 'in' },
  caller: { refused: 401, member: 'in', admin: 'in' },
  member: { refused: 401, member: 'in', admin: 'in' },
  admin: { refused: 401, member: 403, admin: 'in' },
  metrics: { refused: 401, member: 401, admin: 401 },
}

describe.each(HOSTS)('each route lets in whom it declares, under the %s host', host => {
  let gateway: GatewayProcess
  const keys = new Map<string, string>()
  let address = 0

  const send = async (method: string, path: string, headers: Record<string, string> = {}, body = CHAT) => {
    address += 1
    const response = await fetch(gateway.url + path, {
      method,
      headers: {
        // Each from an address of its own, so that wrong ones are not counted together.
        'x-forwarded-for': `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`,
        ...(method !== 'GET' && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(method !== 'GET' && { body }),
    })
    const { status, headers: sent } = response
    if (sent.get('content-type')?.startsWith('text/event-stream')) {
      await response.body?.cancel()
      return { status, names: [...sent.keys()], body: '', json: undefined }
    }
    const text = await response.text()
    const json = sent.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : undefined
    return { status, names: [...sent.keys()], body: text, json }
  }
  const asAdmin = (path: string, body: object) =>
    send('POST', path, FORMS.Bearer?.(ADMIN_TOKEN), JSON.stringify(body))
  const make = async (name: string, settings: object = {}) => {
    const { status, json } = await asAdmin('/api/admin/keys', { name, ...settings })
    expect(status).toBe(201)
    keys.set(name, json.key)
    return json.id as string
  }

  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      REQUIRE_API_KEY: 'true',
      ADMIN_TOKEN,
      METRICS_TOKEN,
      TRUSTED_PROXY_HOPS: '1',
      ENABLE_RATE_LIMITING: 'false',
    })
    await make('member', { owner: 'ada' })
    await make('member of another owner', { owner: 'bob' })
    await make('admin', { role: 'admin' })
    await asAdmin(`/api/admin/keys/${await make('revoked')}/revoke`, {})
    const expired = await make('expired')
    const ended = { expiresAt: new Date(Date.now() - 1_000).toISOString() }
    await send('PATCH', `/api/admin/keys/${expired}`, FORMS.Bearer?.(ADMIN_TOKEN), JSON.stringify(ended))
    await asAdmin(`/api/admin/keys/${await make('replaced')}/rotate`, {})
    keys.set('bad', newKey())
    keys.set('admin token', ADMIN_TOKEN)
  })
  afterAll(() => gateway?.stop())

  /** The error in the form of the API that the path belongs to. */
  const unauthenticated = (path: string) => {
    if (path.startsWith('/v1/messages')) return { type: 'error', error: { type: 'authentication_error' } }
    return { error: { code: path.startsWith('/v1/') ? 'invalid_api_key' : 'UNAUTHENTICATED' } }
  }

  const headersOf = (kind: string, form: string): Record<string, string> =>
    kind === 'none' ? {} : (FORMS[form]?.(keys.get(kind) ?? '') ?? {})
  const admitted = (status: number): unknown => (status === 401 || status === 403 ? status : 'in')

  it('has requests of every kind to look at, each with its expectation', () => {
    expect(new Set(REQUESTS.map(([access]) => access))).toEqual(new Set(Object.keys(EXPECTED)))
  })

  it.each(REQUESTS)(
    '%s: %s %s, with every kind of credential in every form',
    async (access, method, path) => {
      const expected = EXPECTED[access]
      for (const [kinds, wanted] of [
        [REFUSED, expected?.refused],
        [MEMBERS, expected?.member],
        [ADMINS, expected?.admin],
      ] as const)
        for (const kind of kinds)
          for (const form of Object.keys(FORMS)) {
            const answer = await send(method, path, headersOf(kind, form))
            expect(admitted(answer.status), `${kind} by ${form}`).toBe(wanted)
            if (wanted === 401) expect(answer.json).toMatchObject(unauthenticated(path))
          }
    },
  )

  it.each(REQUESTS)('%s: %s %s refuses two credentials that differ with 400', async (_, method, path) => {
    const one = keys.get('member') ?? ''
    const other = keys.get('admin') ?? ''
    for (const headers of [
      { authorization: `Bearer ${one}`, 'x-api-key': other },
      { authorization: `Bearer ${one}`, 'api-key': other },
      { 'x-api-key': one, 'api-key': other },
    ])
      expect(await send(method, path, headers)).toMatchObject(CONFLICT)
    const all = { authorization: `Bearer ${one}`, 'x-api-key': one, 'api-key': one }
    expect(await send(method, path, all)).not.toMatchObject(CONFLICT)
  })

  it('no kind of refused key differs from another in its answer', async () => {
    for (const path of ['/api/models', '/v1/models']) {
      const answers = await Promise.all(
        ['bad', 'revoked', 'expired', 'replaced'].map(kind =>
          send('GET', path, { ...headersOf(kind, 'Bearer'), 'x-request-id': 'same' }),
        ),
      )
      const shown = answers.map(({ status, json, names }) => ({ status, json, names }))
      for (const one of shown) expect(one).toEqual(shown[0])
    }
  })

  it('takes no key from the URL', async () => {
    const key = keys.get('member') ?? ''
    for (const name of ['key', 'api_key', 'api-key', 'x-api-key', 'access_token', 'token'])
      expect((await send('GET', `/api/models?${name}=${key}`)).status).toBe(401)
  })

  it('lets in the scraper with a token of its own', async () => {
    expect((await send('GET', '/metrics', FORMS.Bearer?.(METRICS_TOKEN))).status).toBe(200)
    expect((await send('GET', '/api/admin/cache', FORMS.Bearer?.(METRICS_TOKEN))).status).toBe(401)
  })

  it('has said no secret anywhere', async () => {
    const metrics = await send('GET', '/metrics', FORMS.Bearer?.(METRICS_TOKEN))
    for (const [kind, key] of keys) {
      expect(gateway.everything.includes(key), kind).toBe(false)
      expect(metrics.body.includes(key), kind).toBe(false)
    }
  })
})
