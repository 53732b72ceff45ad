import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-request.ts'

const ADMIN_TOKEN = 'the-token-of-the-admin'
const SESSION = '/api/admin/session'

describe.each(HOSTS)('the session of an admin under the %s host', host => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, { ADMIN_TOKEN, TRUSTED_PROXY_HOPS: '1' })
  })
  afterAll(() => gateway?.stop())

  const send = (request: Parameters<typeof sendRaw>[1]) => sendRaw(gateway.url, request)
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
  const keyOf = async (role: string, settings: object = {}) => {
    const body = JSON.stringify({ name: role, role, ...settings })
    const headers = { ...bearer(ADMIN_TOKEN), 'content-type': 'application/json' }
    return (await send({ method: 'POST', path: '/api/admin/keys', headers, body })).json
  }
  const signIn = async (key: string, headers: Record<string, string> = {}) => {
    const answer = await send({ method: 'POST', path: SESSION, headers: { ...bearer(key), ...headers } })
    return { ...answer, cookie: answer.headers['set-cookie']?.[0] ?? '' }
  }
  const using = (cookie: string, path = '/api/admin/keys', headers: Record<string, string> = {}) =>
    send({ path, headers: { cookie: cookie.split(';')[0] ?? '', ...headers } })

  it('begins with the admin token or an admin’s key, as a cookie that no script and no other site has', async () => {
    for (const key of [ADMIN_TOKEN, (await keyOf('admin')).key]) {
      const { status, cookie } = await signIn(key)
      expect(status).toBe(201)
      expect(cookie).toMatch(/^parley_admin=\S+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=28800$/)
      expect(cookie).not.toContain(key)
      expect((await using(cookie)).status).toBe(200)
      expect((await using(cookie, SESSION)).json.role).toBe('admin')
    }
    const { cookie } = await signIn(ADMIN_TOKEN, { 'x-forwarded-proto': 'https' })
    expect(cookie).toMatch(/^__Host-parley_admin=\S+; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age/)
    expect((await using(cookie)).status).toBe(200)
  })

  it('does not begin for a member, a guest, or a wrong token', async () => {
    expect((await signIn((await keyOf('member')).key)).status).toBe(403)
    expect((await signIn('wrong')).status).toBe(401)
    expect((await send({ method: 'POST', path: SESSION })).status).toBe(401)
  })

  it('is refused with a row in the audit log, without what was sent, for the first ten in a minute', async () => {
    const from = { 'x-forwarded-for': '198.51.100.7' }
    const { id, key } = await keyOf('member')
    const { id: narrowId, key: narrow } = await keyOf('admin', { scopes: { routes: ['/v1/*'] } })
    for (const refused of [key, narrow]) expect((await signIn(refused, from)).status).toBe(403)
    for (let guess = 0; guess < 10; guess += 1)
      expect((await signIn(`wrong-token-${guess}`, from)).status).toBe(401)
    expect((await signIn('wrong-token', from)).status).toBe(429)
    await send({ path: SESSION, headers: { ...bearer('wrong-token'), 'x-forwarded-for': '198.51.100.8' } })
    await send({ method: 'POST', path: SESSION, headers: { 'x-forwarded-for': '198.51.100.8' } })
    const log = await send({ path: '/api/admin/audit?limit=100', headers: bearer(ADMIN_TOKEN) })
    const refused = log.json.entries.filter(
      (entry: Readonly<{ action: string; address: string }>) =>
        entry.action === 'session.sign-in-refused' && entry.address.startsWith('198.51.100.'),
    )
    expect(refused).toHaveLength(10)
    for (const [at, actor] of [`key ${id}`, `key ${narrowId}`].entries())
      expect(refused.at(-1 - at)).toMatchObject({
        actor,
        address: '198.51.100.7',
        detail: { code: 'FORBIDDEN' },
      })
    expect(refused[0]).toMatchObject({ actor: 'anonymous', detail: { code: 'UNAUTHENTICATED' } })
    expect(log.body).not.toMatch(/wrong-token/)
  })

  it('is no use to pages of other sites', async () => {
    const { cookie } = await signIn(ADMIN_TOKEN)
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://attacker.example' }
    expect((await using(cookie, '/api/admin/keys', foreign)).status).toBe(401)
    const headers = { cookie: cookie.split(';')[0] ?? '', 'content-type': 'text/plain', ...foreign }
    const made = await send({ method: 'POST', path: '/api/admin/keys', headers, body: '{"name":"x"}' })
    expect(made.status).toBe(403)
  })

  it('ends at sign-out, and with the key that began it', async () => {
    const { cookie } = await signIn(ADMIN_TOKEN)
    const other = await signIn(ADMIN_TOKEN)
    const out = await send({
      method: 'DELETE',
      path: SESSION,
      headers: { cookie: cookie.split(';')[0] ?? '', origin: gateway.url, 'sec-fetch-site': 'same-origin' },
    })
    expect([out.status, out.headers['set-cookie']?.[0]]).toEqual([
      204,
      'parley_admin=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0',
    ])
    expect((await using(cookie)).status).toBe(401)
    expect((await using(other.cookie)).status).toBe(200)

    const { id, key } = await keyOf('admin')
    const session = await signIn(key)
    expect((await using(session.cookie)).status).toBe(200)
    await send({ method: 'POST', path: `/api/admin/keys/${id}/revoke`, headers: bearer(ADMIN_TOKEN) })
    expect((await using(session.cookie)).status).toBe(401)
  })

  it('ends with the secret that began it: at once where its key gets another one without overlap', async () => {
    const { id, key } = await keyOf('admin')
    const { cookie } = await signIn(key)
    const again = await send({
      method: 'POST',
      path: SESSION,
      headers: { cookie: cookie.split(';')[0] ?? '', origin: gateway.url, 'sec-fetch-site': 'same-origin' },
    })
    const renewed = again.headers['set-cookie']?.[0] ?? ''
    expect((await using(renewed)).status).toBe(200)
    const headers = { ...bearer(ADMIN_TOKEN), 'content-type': 'application/json' }
    const rotate = async (overlapSeconds: number) => {
      const body = JSON.stringify({ overlapSeconds })
      return (await send({ method: 'POST', path: `/api/admin/keys/${id}/rotate`, headers, body })).json
    }
    const newest = await rotate(60)
    expect((await using(cookie)).status).toBe(200)
    await rotate(0)
    const other = await signIn(newest.key)
    expect([(await using(cookie)).status, (await using(renewed)).status, other.status]).toEqual([
      401, 401, 401,
    ])
  })

  it('cannot be forged or changed', async () => {
    const { cookie } = await signIn(ADMIN_TOKEN)
    const value = cookie.split(';')[0] ?? ''
    const [id, key, expires, signature] = value.split('=')[1]?.split('.') ?? []
    for (const forged of [
      `${id}.${key}.${Number(expires) + 1}.${signature}`,
      `${'A'.repeat(24)}.${key}.${expires}.${signature}`,
      `${id}.key_${'0'.repeat(24)}.${expires}.${signature}`,
      `${id}.${key}.${expires}.${'A'.repeat(43)}`,
      '',
    ])
      expect((await using(`parley_admin=${forged}`)).status).toBe(401)
  })

  it('identifies an admin on routes of admins and members alone: a chat counts as the guest’s', async () => {
    const { cookie } = await signIn(ADMIN_TOKEN)
    const { headers } = await using(cookie, '/v1/models')
    expect(headers['x-ratelimit-limit']).toBe('60')
    const line = await gateway.lineOf(String(headers['x-request-id']))
    expect(line.caller).toBe('anonymous')
  })
})
