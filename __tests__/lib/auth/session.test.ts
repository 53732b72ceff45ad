import { describe, expect, it } from 'vitest'
import { SESSION_SECONDS, signedSessions } from '#lib/auth/session.ts'

const NOW = 1_800_000_000_000

describe('signedSessions', () => {
  const sessions = signedSessions('a secret of sixteen or more')
  const cookie = sessions.issue(NOW)

  it('reads the session it issued', () => expect(sessions.read(cookie, NOW)).toMatch(/^[\w-]{24}$/))
  it('issues another one each time', () => expect(sessions.issue(NOW)).not.toBe(cookie))
  it('ends after thirty days', () => {
    expect(sessions.read(cookie, NOW + SESSION_SECONDS * 1000 - 1)).toBeDefined()
    expect(sessions.read(cookie, NOW + SESSION_SECONDS * 1000)).toBeUndefined()
  })
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
