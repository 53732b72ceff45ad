import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigurationError, parseEnvironment, secretsOf } from '#lib/config/env.ts'

describe('the environment', () => {
  it('needs nothing set', () => {
    expect(parseEnvironment({})).toMatchObject({
      PORT: 3000,
      DATA_DIR: './data',
      RATE_LIMIT_ANONYMOUS: { limit: 5, windowMs: 60_000 },
      RATE_LIMIT_GUEST: { limit: 30, windowMs: 60_000 },
      ENABLE_RATE_LIMITING: true,
      REQUEST_TIMEOUT_MS: 30_000,
      MAX_RESPONSE_BYTES: 10_240,
    })
  })

  it('takes an empty value as unset', () => {
    expect(parseEnvironment({ OPENAI_API_KEY: '', PORT: ' ' })).toMatchObject({ PORT: 3000 })
    expect(parseEnvironment({ OPENAI_API_KEY: ' ' })).not.toHaveProperty('OPENAI_API_KEY')
  })

  it('reads rates, flags and lists', () => {
    expect(
      parseEnvironment({
        RATE_LIMIT_ANONYMOUS: '100/2h',
        ENABLE_RATE_LIMITING: 'False',
        ALLOWED_ORIGINS: 'https://a.example, http://localhost:3000',
      }),
    ).toMatchObject({
      RATE_LIMIT_ANONYMOUS: { limit: 100, windowMs: 7_200_000 },
      ENABLE_RATE_LIMITING: false,
      ALLOWED_ORIGINS: ['https://a.example', 'http://localhost:3000'],
    })
  })

  it('reads host names without ports, and the public address', () => {
    const read = (ALLOWED_HOSTS: string, PUBLIC_URL = '') => parseEnvironment({ ALLOWED_HOSTS, PUBLIC_URL })
    expect(read('Chat.example.com:443, [::1]', 'https://chat.example.com')).toMatchObject({
      ALLOWED_HOSTS: ['chat.example.com', '::1'],
      PUBLIC_URL: 'https://chat.example.com',
      HSTS_PRELOAD: false,
    })
    expect(read('')).not.toHaveProperty('ALLOWED_HOSTS')
    for (const wrong of ['*', 'https://a.example', 'a.example/b', ','])
      expect(() => read(wrong)).toThrow(/ALLOWED_HOSTS = .*must be host names/)
    for (const wrong of ['a.example', 'ftp://a.example', 'https://u:p@a.example', 'https://a.example/b'])
      expect(() => read('', wrong)).toThrow(/PUBLIC_URL = .*must be an/)
  })

  it('names every fault, but no secret', () => {
    const variables = { PORT: '99999', HOST: 'x', SENTRY_DSN: 'not-a-url-secret', OPENAI_BASE_URL: 'ftp://x' }
    const read = () => parseEnvironment(variables)
    expect(read).toThrow(ConfigurationError)
    expect(read).toThrow(
      /PORT = “99999”: must be from 0 to 65535[\s\S]*OPENAI_BASE_URL = “ftp:\/\/x”[\s\S]*SENTRY_DSN = \(secret\)/,
    )
    expect(read).not.toThrow(/not-a-url-secret/)
  })

  it('takes the address and the token of Upstash together, and tells of the missing one among all faults', () => {
    expect(() => parseEnvironment({ UPSTASH_REDIS_REST_URL: 'https://x.upstash.io', PORT: 'x' })).toThrow(
      /PORT = “x”[\s\S]*UPSTASH_REDIS_REST_TOKEN = \(unset\): is needed too/,
    )
    expect(() => parseEnvironment({ UPSTASH_REDIS_REST_TOKEN: 'a token' })).toThrow(/UPSTASH_REDIS_REST_URL/)
  })

  it('takes Redis’ address for a secret as a whole, and its password by itself', () => {
    const REDIS_URL = 'redis://:pass%2Fword@localhost:6379'
    expect(secretsOf(parseEnvironment({ REDIS_URL }))).toEqual([REDIS_URL, 'pass%2Fword', 'pass/word'])
    expect(() => parseEnvironment({ REDIS_URL: 'http://:pass@x' })).toThrow(
      /REDIS_URL = \(secret\): must be a redis/,
    )
  })

  it('is what .env.example shows: each of its defaults is the default', () => {
    const example = readFileSync(join(import.meta.dirname, '../../../.env.example'), 'utf8')
    const uncommented = example.replaceAll(/^# ?([A-Z_]+=)/gm, '$1')
    const shown = Object.fromEntries(
      Object.entries(parseEnv(uncommented)).filter(([, value]) => value !== ''),
    )
    expect(parseEnvironment(shown)).toEqual(parseEnvironment({}))
  })

  it('tells which values are secret', () => {
    expect(secretsOf(parseEnvironment({ OPENAI_API_KEY: 'k', PORT: '1' }))).toEqual(['k'])
  })
})
