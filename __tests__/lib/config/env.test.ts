import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigurationError, parseEnvironment, secretsOf } from '#lib/config/env.ts'
import { SECRETS } from '#lib/config/schema.ts'

/** The lines of what is wrong, the heading first. */
const faultsOf = (variables: Record<string, string>): string[] => {
  try {
    parseEnvironment(variables)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message.split('\n')
  }
  return []
}

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
      /PORT = “x”[\s\S]*UPSTASH_REDIS_REST_TOKEN = \(unset\): is required too/,
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

  it.each<[string, string, RegExp]>([
    ['a zero-width space', 'sk-a\u200bb', /invisible character \(U\+200B\)/],
    ['a byte order mark inside', 'sk-\ufeffa', /invisible character \(U\+FEFF\)/],
    ['a soft hyphen', 'sk-a\u00ad', /invisible character \(U\+00AD\)/],
    ['a no-break space inside', 'sk-a\u00a0b', /invisible character \(U\+00A0\)/],
    ['a text direction', '\u202esk-a', /invisible character \(U\+202E\)/],
    ['typographic quotes', '\u201csk-a\u201d', /typographic quotes/],
    ['two lines', 'sk-a\nsk-b', /must be one line/],
    ['a carriage return inside', 'sk-a\rsk-b', /must be one line/],
    ['a space inside', 'sk-a sk-b', /printable ASCII without spaces/],
    ['Cyrillic that looks Latin', 'sk-\u0430', /printable ASCII without spaces/],
  ])('refuses a key with %s, on one line and without showing it', (_, key, reason) => {
    for (const name of SECRETS.filter(secret => /_API_KEY$|_TOKEN$/.test(secret))) {
      const [, ...lines] = faultsOf({ [name]: key, OPENAI_BASE_URL: 'x' })
      const line = lines.find(text => text.startsWith(`  ${name} = (secret): `))
      expect(line).toMatch(reason)
      expect(lines.join()).not.toContain('sk-')
    }
  })

  it('takes values without what Windows, editors and docker put around them', () => {
    for (const around of [
      '"sk-a"',
      "'sk-a'",
      ' sk-a\r',
      '"sk-a"\r\n',
      '\ufeffsk-a',
      '\u00a0sk-a\u00a0',
      '" sk-a "',
    ])
      expect(parseEnvironment({ OPENAI_API_KEY: around, PORT: '"80"' })).toMatchObject({
        OPENAI_API_KEY: 'sk-a',
        PORT: 80,
      })
    expect(parseEnvironment({ OPENAI_API_KEY: '""' })).not.toHaveProperty('OPENAI_API_KEY')
    expect(parseEnvironment({ HOST: '[::1]' }).HOST).toBe('::1')
  })

  it.each([
    'https://user:hunter22@x.example/v1',
    'https://hunter22@x.example/v1',
    'ftp://user:hunter22@x.example',
    'user:hunter22@x.example',
    'https://user:hunter22@[',
    'https://x.example/v1?api_key=hunter22',
    'https://x.example/v1#hunter22',
    'sk-hunter22hunter22',
  ])('refuses %s as the base address of a provider, and shows no credential of it', value => {
    for (const name of ['OPENAI_BASE_URL', 'AZURE_OPENAI_BASE_URL', 'UPSTASH_REDIS_REST_URL']) {
      const text = faultsOf({ [name]: value }).join('\n')
      expect(text).toContain(`  ${name} = `)
      expect(text).not.toContain('hunter22')
    }
  })

  it('tells each fault on a line of its own, whatever the value holds', () => {
    expect(faultsOf({ PORT: '1\n2\n3', LOG_LEVEL: 'a\rb', HOST: 'x\u2028y' })).toHaveLength(4)
  })

  it('reads proxies in either case, the lower one first, as secrets', () => {
    const env = parseEnvironment({
      HTTP_PROXY: 'http://a.example',
      http_proxy: 'http://me:pass%20word@b.example:3128',
      HTTPS_PROXY: 'proxy.example:3128',
      no_proxy: 'localhost,.example.com',
    })
    expect(env).toMatchObject({
      HTTP_PROXY: 'http://me:pass%20word@b.example:3128',
      HTTPS_PROXY: 'http://proxy.example:3128',
      NO_PROXY: 'localhost,.example.com',
    })
    expect(secretsOf(env)).toEqual(expect.arrayContaining([env.HTTP_PROXY, 'pass%20word', 'pass word']))
  })

  it.each(['socks5://x:hunter22@y.example', 'http://', 'http://me:%hunter22@x.example', 'http://a b'])(
    'refuses %s as a proxy',
    value => {
      for (const name of ['HTTP_PROXY', 'https_proxy']) {
        const text = faultsOf({ [name]: value }).join('\n')
        expect(text).toContain(`  ${name.toUpperCase()} = (secret): must`)
        expect(text).not.toContain('hunter22')
      }
    },
  )

  it('tells which values are secret', () => {
    expect(secretsOf(parseEnvironment({ OPENAI_API_KEY: 'k', PORT: '1' }))).toEqual(['k'])
  })
})
