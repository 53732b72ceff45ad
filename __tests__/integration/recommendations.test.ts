import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { recommendationsReport } from '#lib/http/openapi/answers/recommendations.ts'
import { json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { completion } from '../support/upstream-behaviour.ts'

const ADMIN_TOKEN = 'the-token-of-the-admin'
const LONG = 'An instruction of many words. '.repeat(300)

let upstream: FakeUpstream
let gateway: GatewayProcess

beforeAll(async () => {
  upstream = await FakeUpstream.start()
  upstream.usually(async (response, asked) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const usage = { prompt_tokens: 2_500, completion_tokens: 10, total_tokens: 2_510 }
    response.end(JSON.stringify({ ...completion(asked.model, 'Hello'), usage }))
  })
  const path = join(mkdtempSync(join(tmpdir(), 'parley-recommendations-')), 'gateway.json')
  const usdPerMillion = { input: 2, cachedInput: 0.5, output: 10 }
  const config = {
    models: [{ id: 'repeated', provider: 'openai', usdPerMillion }],
    cache: { rules: [{ model: 'repeated', enabled: false }] },
  }
  writeFileSync(path, JSON.stringify(config))
  gateway = await GatewayProcess.start('native', {
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: upstream.baseUrl,
    ENABLE_RATE_LIMITING: 'false',
    GATEWAY_CONFIG: path,
    ADMIN_TOKEN,
  })
})
afterAll(async () => {
  await gateway?.stop()
  await upstream?.stop()
})

const recommended = async () => {
  const answer = await fetch(`${gateway.url}/api/admin/usage/recommendations`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  })
  expect(answer.status).toBe(200)
  return recommendationsReport.parse(await json(answer))
}

it('recommends, with figures, what would have saved money on the requests that were made', async () => {
  expect(await recommended()).toMatchObject({ requests: 0, recommendations: [] })
  const body = {
    model: 'repeated',
    messages: [
      { role: 'system', content: LONG },
      { role: 'user', content: 'Hi' },
    ],
  }
  for (let count = 0; count < 6; count += 1) {
    const answer = await post(gateway.url, body)
    expect(answer.status).toBe(200)
    await gateway.lineOf(answer.headers.get('x-request-id') ?? '')
  }
  const { requests, recommendations } = await recommended()
  expect(requests).toBe(6)
  // 2,500 tokens at 2 dollars a million and 10 at 10 are 5,100,000 nanodollars; 2,251 tokens are the instruction.
  expect(recommendations).toMatchObject([
    { kind: 'cache-rule', model: 'repeated', currentTtlSeconds: null, ttlSeconds: 3_600, hits: 5 },
    { kind: 'prompt-cache', model: 'repeated', provider: 'openai', requests: 6, readTokens: 5 * 2_252 },
  ])
  expect(recommendations.map(({ savingNanoUsd }) => savingNanoUsd)).toEqual([
    String(5 * 5_100_000),
    String(5 * 2_252 * 1_500),
  ])
  expect(JSON.stringify(recommendations)).not.toContain('many words')
})
