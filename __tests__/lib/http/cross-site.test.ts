import { describe, expect, it } from 'vitest'
import type { AccessRules } from '#lib/http/access-rules.ts'
import { assertSameSite, isCrossSite, isSecurePage } from '#lib/http/cross-origin.ts'
import { transportSecurity } from '#lib/http/transport.ts'

const OPEN: AccessRules = { allowedOrigins: new Set(['https://app.example.com']), trustedProxyHops: 0 }
const PROXIED: AccessRules = { ...OPEN, trustedProxyHops: 1 }
const PUBLIC: AccessRules = {
  ...OPEN,
  publicUrl: { origin: 'https://chat.example.com', host: 'chat.example.com' },
}

const from = (headers: Record<string, string>): Request => new Request('http://x/', { headers })

describe('a request comes from another site', () => {
  it.each(['cross-site', 'same-site', 'Same-Origin', 'same-origin, cross-site', 'anything'])(
    'by Sec-Fetch-Site: %s',
    site => {
      expect(isCrossSite(from({ 'sec-fetch-site': site }), OPEN)).toBe(true)
      const origin = 'http://localhost:3000'
      expect(isCrossSite(from({ 'sec-fetch-site': site, host: 'localhost:3000', origin }), OPEN)).toBe(true)
    },
  )
  it.each(['same-origin', 'none'])('not by Sec-Fetch-Site: %s, which goes before Origin', site =>
    expect(isCrossSite(from({ 'sec-fetch-site': site, origin: 'chrome-extension://abc' }), OPEN)).toBe(false),
  )
  it('not where it has neither header', () => expect(isCrossSite(from({ host: 'x' }), OPEN)).toBe(false))

  it.each<[string, string, AccessRules]>([
    ['http://localhost:3000', 'localhost:3000', OPEN],
    ['http://localhost', 'localhost:80', OPEN],
    ['http://localhost:3000', 'LOCALHOST:3000', OPEN],
    ['http://[::1]:3000', '[::1]:3000', OPEN],
    ['http://192.168.0.7:3000', '192.168.0.7:3000', OPEN],
    ['https://chat.example.com', 'chat.example.com', OPEN],
    ['https://chat.example.com', 'chat.example.com:443', OPEN],
    ['https://10.0.0.5', '10.0.0.5', PROXIED],
    ['https://chat.example.com', 'parley:3000', PUBLIC],
  ])('not by Origin %s at Host %s', (origin, host, rules) =>
    expect(isCrossSite(from({ origin, host }), rules)).toBe(false),
  )

  it.each<[string, string]>([
    ['null', 'localhost:3000'],
    ['', 'localhost:3000'],
    ['https://attacker.example', 'localhost:3000'],
    ['http://localhost:3001', 'localhost:3000'],
    ['http://localhost', 'localhost:3000'],
    ['https://localhost:3000', 'localhost:3000'],
    ['http://127.0.0.1:3000', 'localhost:3000'],
    ['http://localhost:3000.attacker.example', 'localhost:3000'],
    ['http://localhost:3000/', 'localhost:3000'],
    ['HTTP://LOCALHOST:3000', 'localhost:3000'],
    ['http://user@localhost:3000', 'localhost:3000'],
    ['http://localhost:3000, http://attacker.example', 'localhost:3000'],
    ['https://www.example.com', 'example.com'],
    ['http://chat.example.com', 'chat.example.com:443'],
    ['http://attacker.example', 'attacker.example/'],
    ['chrome-extension://abc', 'abc'],
    ['https://app.example.com', 'localhost:3000'],
  ])('by Origin “%s” at Host %s', (origin, host) =>
    expect(isCrossSite(from({ origin, host }), OPEN)).toBe(true),
  )

  it('by Origin where there is no Host', () =>
    expect(isCrossSite(from({ origin: 'http://localhost' }), OPEN)).toBe(true))

  it('by what a trusted proxy says of host and scheme, and by no other’s word', () => {
    const headers = {
      host: 'parley:3000',
      'x-forwarded-host': 'chat.example.com',
      'x-forwarded-proto': 'https',
    }
    const asked = (origin: string, rules: AccessRules) => isCrossSite(from({ ...headers, origin }), rules)
    expect(asked('https://chat.example.com', PROXIED)).toBe(false)
    expect(asked('http://chat.example.com', PROXIED)).toBe(true)
    expect(asked('https://chat.example.com', OPEN)).toBe(true)
    const forwarded = 'for=198.51.100.1;proto=https;host="chat.example.com"'
    const other = from({ host: 'parley:3000', forwarded, origin: 'https://chat.example.com' })
    expect([isCrossSite(other, PROXIED), isCrossSite(other, OPEN)]).toEqual([false, true])
  })
})

describe('a request of another site that changes something', () => {
  const CROSS = { 'sec-fetch-site': 'cross-site', origin: 'https://attacker.example', host: 'localhost:3000' }
  const judged = (headers: Record<string, string>) => () =>
    assertSameSite(from({ ...CROSS, ...headers }), OPEN)

  it('is refused, with what to do', () => expect(judged({})).toThrow(/ALLOWED_ORIGINS/))
  it.each<Record<string, string>>([
    { cookie: 'parley_session=x' },
    { authorization: 'Basic dTpw' },
    { authorization: '' },
    { 'x-api-key': '' },
    { origin: 'https://app.example.com.attacker.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'same-site' },
  ])('is refused with %o', headers => expect(judged(headers)).toThrow(/another site/))
  it.each<Record<string, string>>([
    { authorization: 'Bearer key' },
    { 'x-api-key': 'key' },
    { 'api-key': 'key' },
    { origin: 'https://app.example.com' },
    { origin: 'https://app.example.com', 'sec-fetch-site': 'same-site' },
  ])('is let through with %o', headers => expect(judged(headers)).not.toThrow())
})

describe('https', () => {
  const RULES: AccessRules = { ...PROXIED, strictTransportSecurity: 'max-age=1' }
  it.each<[Record<string, string>, AccessRules, boolean]>([
    [{}, RULES, false],
    [{ 'x-forwarded-proto': 'http' }, RULES, false],
    [{ 'x-forwarded-proto': 'https' }, RULES, true],
    [{ 'x-forwarded-proto': 'HTTPS' }, RULES, true],
    [{ 'x-forwarded-proto': 'https, http' }, RULES, false],
    [{ 'x-forwarded-proto': 'http, https' }, RULES, true],
    [{ 'x-forwarded-proto': 'https, http' }, { ...RULES, trustedProxyHops: 2 }, true],
    [{ forwarded: 'for=198.51.100.1;proto=https' }, RULES, true],
    [{ 'x-forwarded-proto': 'https' }, { ...RULES, trustedProxyHops: 0 }, false],
    [{ 'x-forwarded-proto': 'https' }, PROXIED, false],
  ])('makes browsers keep to it, and http does not: %o', (headers, rules, expected) =>
    expect('strict-transport-security' in transportSecurity(from(headers), rules)).toBe(expected),
  )

  it('is where a cookie is Secure: over a trusted proxy, or where the page itself says so', () => {
    const secure = (headers: Record<string, string>, rules = OPEN) => isSecurePage(from(headers), rules)
    expect(secure({ host: 'chat.example.com' })).toBe(false)
    expect(secure({ 'x-forwarded-proto': 'https' })).toBe(false)
    expect(secure({ 'x-forwarded-proto': 'https' }, PROXIED)).toBe(true)
    expect(secure({ host: 'chat.example.com', origin: 'https://chat.example.com' })).toBe(true)
    expect(secure({ host: 'chat.example.com', origin: 'http://chat.example.com' })).toBe(false)
    expect(secure({ host: 'chat.example.com', origin: 'https://attacker.example' })).toBe(false)
  })
})
