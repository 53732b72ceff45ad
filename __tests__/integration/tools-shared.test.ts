import { afterAll, beforeAll, expect, it } from 'vitest'
import { FakeService, json } from '../support/fake-service.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { RedisServer } from '../support/redis.ts'

let server: RedisServer
let service: FakeService
let gateways: readonly GatewayProcess[]

beforeAll(async () => {
  server = await RedisServer.start()
  service = (await FakeService.start()).on('/search', json([]))
  const env = {
    REDIS_URL: server.url,
    REDIS_TIMEOUT_MS: '30000',
    KEY_PEPPER: 'a pepper that all gateways share',
    NOMINATIM_BASE_URL: service.url,
  }
  gateways = await Promise.all([1, 2].map(() => GatewayProcess.start('native', env)))
})
afterAll(async () => {
  await Promise.all((gateways ?? []).map(gateway => gateway.stop()))
  await service?.stop()
  await server?.kill()
})

it('two gateways that share a Redis send Nominatim one request a second together, and share its results', async () => {
  const find = async (index: number, query: string) => {
    const answer = await fetch(`${gateways[index]?.url}/api/tools/places`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
    return answer.json()
  }
  const first = await Promise.all([find(0, 'a'), find(1, 'b'), find(0, 'c'), find(1, 'd')])
  expect(first.map(({ cache }) => cache)).toEqual(['miss', 'miss', 'miss', 'miss'])
  const times = service.of('/search').map(({ at }) => at)
  for (const [index, at] of times.entries())
    if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(1_000)
  expect((await find(1, 'a')).cache).toBe('hit')
  expect((await find(0, 'd')).cache).toBe('hit')
  expect(times).toHaveLength(4)
  expect(service.received).toHaveLength(4)
})
