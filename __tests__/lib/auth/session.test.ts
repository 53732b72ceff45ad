import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SESSION_SECONDS, signedSessions } from '#lib/auth/session.ts'

const NOW = 1_800_000_000_000

describe('signedSessions', () => {
  const secret = 'a secret of sixteen or more'
  const sessions = signedSessions(secret)
  /** A session as one who knows the secret would sign it. */
  const signed = (issuedAt: string, id = 'A'.repeat(24)) => {
    const payload = `${id}.${issuedAt}`
    return `${payload}.${createHmac('sha256', secret).update(`parley guest session ${payload}`).digest('base64url')}`
  }
  const cookie = sessions.issue(NOW)

  it('reads the session it issued', () => expect(sessions.read(cookie, NOW)).toMatch(/^[\w-]{24}$/))
  it('issues another one each time', () => expect(sessions.issue(NOW)).not.toBe(cookie))
  it('ends after thirty days', () => {
    expect(sessions.read(cookie, NOW + SESSION_SECONDS * 1000 - 1)).toBeDefined()
    expect(sessions.read(cookie, NOW + SESSION_SECONDS * 1000)).toBeUndefined()
  })
  it('is that of another gateway whose clock is up to 5 minutes ahead, and of none further ahead', () => {
    expect(sessions.read(sessions.issue(NOW + 300_000), NOW)).toBeDefined()
    expect(sessions.read(sessions.issue(NOW + 301_000), NOW)).toBeUndefined()
    expect(sessions.read(signed('1800000000'), NOW)).toBeDefined()
  })
  it.each([
    ...['9999999999', '1800000301', '0000000000', '0000000001', '1797408000', '-180000000', '-1800000000'],
    ...[
      'NaN',
      'Infinity',
      '1e10',
      '1.8e9',
      '0x6b49d200',
      '18000000000',
      '99999999999999999999',
      ' 1800000000',
      '',
    ],
  ])('is none where it was signed for the time “%s”', issuedAt =>
    expect(sessions.read(signed(issuedAt), NOW)).toBeUndefined(),
  )
  it('is none at a time that is no number', () => expect(sessions.read(cookie, Number.NaN)).toBeUndefined())
  it('believes no other secret', () =>
    expect(signedSessions('another secret').read(cookie, NOW)).toBeUndefined())
  it('notices every changed character', () => {
    for (let place = 0; place < cookie.length - 1; place += 1) {
      const other = cookie[place] === 'A' ? 'B' : 'A'
      expect(sessions.read(cookie.slice(0, place) + other + cookie.slice(place + 1), NOW)).toBeUndefined()
    }
  })
  it.each(['', '.', 'a.b.c', cookie.repeat(1_000), `${cookie}x`])('takes “%.20s” for none', value =>
    expect(sessions.read(value, NOW)).toBeUndefined(),
  )
})
