import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

const items = (count: number) => Array.from({ length: count }, () => ({ prompt: 'a', model: 'mock/echo' }))

describe.each(HOSTS)('items of batches sent as JSON under the %s host', host => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, { TRUSTED_PROXY_HOPS: '1', BATCH_WORKER: 'false' })
  })
  afterAll(() => gateway?.stop())

  const from = (address: string, headers: Record<string, string> = {}) =>
    new BatchClient(gateway.url, { 'x-forwarded-for': address, ...headers })
  const send = async (client: BatchClient, count: number, more: object = {}) => {
    const answer = await client.post('/jobs', { items: items(count), ...more })
    return { status: answer.status, headers: answer.headers, error: (await answer.json()).error }
  }

  it('are 10,000 an hour of an anonymous caller; the 429 says when, costs nothing, and is no one else’s', async () => {
    const client = from('198.51.100.1')
    expect((await send(client, 9_000)).status).toBe(202)
    for (let time = 0; time < 3; time += 1) {
      const { status, headers, error } = await send(client, 1_001)
      expect([status, error.code]).toEqual([429, 'RATE_LIMITED'])
      expect(error.message).toContain('10000 in 3600 s')
      expect(error.retryAfterSeconds).toBeGreaterThan(3_500)
      expect(headers.get('retry-after')).toBe(String(error.retryAfterSeconds))
      expect(headers.get('ratelimit')).toMatch(/^"batch-items";r=1000;t=3\d{3}$/)
    }
    expect((await send(client, 1_000)).status).toBe(202)
    expect((await send(client, 1)).status).toBe(429)
    expect((await send(from('198.51.100.2'), 10_000)).status).toBe(202)
    expect((await client.upload({ 'a.txt': 'One line.' })).status).toBe(202)
  })

  it('that could never fit are a fault of the request that says the maximum, and cost nothing', async () => {
    const client = from('198.51.100.3')
    const { status, error, headers } = await send(client, 10_001)
    expect([status, error.code, error.retryable]).toEqual([400, 'INVALID_INPUT', false])
    expect(error.details).toEqual([
      { path: 'items', message: expect.stringContaining('at most 10000 an hour') },
    ])
    expect(headers.has('retry-after')).toBe(false)
    expect((await send(client, 10_000)).status).toBe(202)
  })

  it('cost nothing where the job is refused for something else', async () => {
    const client = from('198.51.100.4')
    expect((await send(client, 9_999, { priority: 'urgent' })).status).toBe(400)
    // Known only when it is handed in: there is no secret to sign webhooks with.
    expect((await send(client, 9_999, { webhookUrl: 'https://hooks.example.com/' })).status).toBe(400)
    expect((await send(client, 10_000)).status).toBe(202)
  })

  it('are 50,000 an hour of a guest', async () => {
    const address = '198.51.100.5'
    const made = await fetch(`${gateway.url}/api/session`, {
      method: 'POST',
      headers: { 'x-forwarded-for': address },
    })
    const guest = from(address, { cookie: made.headers.get('set-cookie')?.split(';')[0] ?? '' })
    expect((await send(guest, 30_000)).status).toBe(202)
    const { status, error } = await send(guest, 20_001)
    expect([status, error.message.includes('50000')]).toEqual([429, true])
    expect((await send(guest, 20_000)).status).toBe(202)
  })
})

describe('the limit of items', () => {
  it('can be set, and goes with ENABLE_RATE_LIMITING=false', async () => {
    for (const [env, statuses] of [
      [{ RATE_LIMIT_BATCH_ITEMS: '3/1m' }, [202, 429]],
      [{ RATE_LIMIT_BATCH_ITEMS: '3/1m', ENABLE_RATE_LIMITING: 'false' }, [202, 202]],
    ] as const) {
      const gateway = await GatewayProcess.start('native', { BATCH_WORKER: 'false', ...env })
      const client = new BatchClient(gateway.url)
      const asked: number[] = []
      for (let time = 0; time < 2; time += 1)
        asked.push((await client.post('/jobs', { items: items(2) })).status)
      await gateway.stop()
      expect(asked).toEqual(statuses)
    }
  })
})
