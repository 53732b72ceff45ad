import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ConfigurationError, parseEnvironment } from '#lib/config/env.ts'

const faultsOf = (variables: Record<string, string>): string => {
  try {
    parseEnvironment(variables)
    return ''
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.faults.join('\n')
  }
}

const WEAK = [
  'changemechangeme',
  'change-me-change-me-please-now-or-else',
  'secretsecretsecret',
  'password12345678',
  'your-admin-token-here',
  '1234567890123456',
  'abcdefghijklmnopqrstuvwxyzabcdef',
  'x'.repeat(32),
  'abab'.repeat(8),
  'replace-this-with-a-secret-of-yours!',
]

describe('a secret of the operator’s own choice', () => {
  it.each(['ADMIN_TOKEN', 'METRICS_TOKEN', 'KEY_PEPPER', 'BATCH_WEBHOOK_SECRET'])(
    '%s is refused in production where it can be guessed, and never shown',
    name => {
      for (const secret of WEAK) {
        const faults = faultsOf({ [name]: secret })
        expect(faults, secret).toContain(`${name} = (secret): `)
        expect(faults).not.toContain(secret)
      }
    },
  )

  it('may be anything long enough in development and tests', () => {
    for (const NODE_ENV of ['development', 'test'])
      expect(faultsOf({ NODE_ENV, ADMIN_TOKEN: 'changemechangeme' })).toBe('')
  })

  it('is accepted where it is random, in any form', () => {
    for (let time = 0; time < 500; time += 1)
      for (const form of ['hex', 'base64', 'base64url'] as const) {
        const secret = randomBytes(24).toString(form)
        expect(faultsOf({ ADMIN_TOKEN: secret, KEY_PEPPER: secret }), secret).toBe('')
      }
    for (const words of ['an-admin-token-of-some-length', 'admin-token-0123456789'])
      expect(faultsOf({ ADMIN_TOKEN: words })).toBe('')
  })

  it('has at least 16 characters as ADMIN_TOKEN and 32 as KEY_PEPPER', () => {
    expect(faultsOf({ ADMIN_TOKEN: 'k3jd8sHq2mZx7Lp' })).toContain('at least 16')
    expect(faultsOf({ KEY_PEPPER: 'k3jd8sHq2mZx7LpWv5Tn1Rb6Yc9Gf4E' })).toContain('at least 32')
  })

  it('KEY_PEPPER is required with DATABASE_URL, since gateways on one database must agree', () => {
    const DATABASE_URL = 'postgres://parley@localhost/parley'
    expect(faultsOf({ DATABASE_URL })).toContain('KEY_PEPPER = (unset): is required with DATABASE_URL')
    expect(faultsOf({ DATABASE_URL, KEY_PEPPER: randomBytes(24).toString('hex') })).toBe('')
  })
})
