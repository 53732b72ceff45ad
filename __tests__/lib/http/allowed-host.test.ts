import { describe, expect, it } from 'vitest'
import { assertAllowedHost } from '#lib/http/cross-origin.ts'

type Rules = Parameters<typeof assertAllowedHost>[1]

const OPEN: Rules = { trustedProxyHops: 0 }
const PUBLIC: Rules = {
  ...OPEN,
  publicUrl: { origin: 'https://chat.example.com:8443', host: 'chat.example.com' },
}
const LISTED: Rules = { ...OPEN, allowedHosts: new Set(['chat.example.com', '::1']) }

const outcome = (
  rules: Rules,
  host: string | undefined,
  { ip = '127.0.0.1', ...headers }: Record<string, string> = {},
): string => {
  const request = new Request('http://x/', { headers: { ...headers, ...(host !== undefined && { host }) } })
  try {
    assertAllowedHost(Object.assign(request, { ip }), rules)
    return 'passes'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('a request without a key from a loopback peer', () => {
  it.each([
    'localhost',
    'LOCALHOST:3000',
    'localhost.',
    'a.b.localhost:1',
    '127.0.0.1:3000',
    '0.0.0.0',
    '[::1]:3000',
  ])('passes as %s', host => expect(outcome(OPEN, host)).toBe('passes'))
  it.each([
    'attacker.example',
    'localhost.attacker.example:3000',
    '127.0.0.1.nip.io',
    'chat.example.com',
    '',
  ])('is refused as “%s”', host => expect(outcome(OPEN, host)).toBe('FORBIDDEN'))
  it.each(['attacker.example@localhost', 'localhost@attacker.example'])(
    'is refused with user names: %s',
    host => expect(outcome(OPEN, host)).toBe('FORBIDDEN'),
  )
  it.each(['a b', 'localhost, attacker.example', '[::1'])('is refused as malformed: %s', host =>
    expect(outcome(OPEN, host)).toBe('INVALID_INPUT'),
  )
  it('passes under PUBLIC_URL’s host, whatever the port', () => {
    expect(outcome(PUBLIC, 'CHAT.example.com.:1')).toBe('passes')
    expect(outcome(PUBLIC, 'www.chat.example.com')).toBe('FORBIDDEN')
  })
  it('passes without a Host header', () => expect(outcome(OPEN, undefined)).toBe('passes'))
  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', ''])('is one from “%s”', ip =>
    expect(outcome(OPEN, 'attacker.example', { ip })).toBe('FORBIDDEN'),
  )
})

describe('with no list, the host does not count', () => {
  it.each(['192.168.0.7', '::ffff:192.168.0.7', '2001:db8::1'])('for the peer %s', ip =>
    expect(outcome(OPEN, 'any.example', { ip })).toBe('passes'),
  )
  it('behind a trusted proxy', () => expect(outcome({ trustedProxyHops: 1 }, 'any.example')).toBe('passes'))
  it.each<Record<string, string>>([
    { authorization: 'Bearer key' },
    { 'x-api-key': 'key' },
    { 'api-key': 'key' },
  ])('for a request with a credential: %o', headers =>
    expect(outcome(OPEN, 'any.example', headers)).toBe('passes'),
  )
  it.each<Record<string, string>>([
    { authorization: 'Basic dTpw' },
    { authorization: 'Bearer ' },
    { authorization: '' },
    { 'x-api-key': ' ' },
    { 'api-key': '' },
    { cookie: 'parley_session=x' },
  ])('but for one whose header is no credential: %o', headers =>
    expect(outcome(OPEN, 'any.example', headers)).toBe('FORBIDDEN'),
  )
})

describe('with ALLOWED_HOSTS', () => {
  const everyone: Record<string, string>[] = [{}, { ip: '192.168.0.7' }, { authorization: 'Bearer key' }]
  it.each(everyone)('only those listed pass, for all requests: %o', sender => {
    for (const host of ['chat.example.com', 'Chat.Example.com.:8443', '[0:0::1]:3000'])
      expect(outcome(LISTED, host, sender)).toBe('passes')
    for (const host of ['localhost', '127.0.0.1', 'attacker.example', 'a.chat.example.com', ''])
      expect(outcome(LISTED, host, sender)).toBe('FORBIDDEN')
    expect(outcome({ ...LISTED, trustedProxyHops: 1 }, 'localhost', sender)).toBe('FORBIDDEN')
    expect(outcome(LISTED, undefined, sender)).toBe('passes')
  })
  it('the refusal says what to do', () => {
    const request = new Request('http://x/', { headers: { host: 'attacker.example' } })
    expect(() => assertAllowedHost(request, LISTED)).toThrow(/attacker\.example.*ALLOWED_HOSTS/)
  })
})
