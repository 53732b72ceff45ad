import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

const METRICS_TOKEN = 'metrics-token-0123456789'
const ADMIN_TOKEN = 'admin-token-0123456789'

describe.each(HOSTS)('guesses at tokens under the %s host, with ENABLE_RATE_LIMITING=false', host => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      ENABLE_RATE_LIMITING: 'false',
      TRUSTED_PROXY_HOPS: '1',
      METRICS_TOKEN,
      ADMIN_TOKEN,
    })
  })
  afterAll(() => gateway?.stop())

  const ask = (path: string, token: string, address: string) =>
    fetch(gateway.url + path, {
      headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address },
    })

  it.each([
    ['/metrics', METRICS_TOKEN],
    ['/api/admin/cache', ADMIN_TOKEN],
  ])(
    '%s: 10 a minute from one address, then 429; the right token from another is let in',
    async (path, token) => {
      const statuses: number[] = []
      for (let guess = 0; guess < 12; guess += 1)
        statuses.push((await ask(path, `wrong-token-${guess}`, '198.51.100.1')).status)
      expect(statuses).toEqual([...Array(10).fill(401), 429, 429])
      const refused = await ask(path, 'wrong-token-of-course', '198.51.100.1')
      const { error } = await refused.json()
      expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true })
      expect(Number(refused.headers.get('retry-after'))).toBe(error.retryAfterSeconds)
      expect(error.retryAfterSeconds).toBeGreaterThan(30)
      expect((await ask(path, token, '198.51.100.2')).status).toBe(200)
    },
  )

  it('/metrics: the right token is never refused, 200 times in a row and from where others guess', async () => {
    for (let time = 0; time < 200; time += 1)
      expect((await ask('/metrics', METRICS_TOKEN, '198.51.100.1')).status).toBe(200)
  })

  it('of several at once count as well', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => ask('/api/admin/cache', `wrong-${at}`, '198.51.100.3')),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30)
  })
})
