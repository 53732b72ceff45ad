import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

const ADMIN_TOKEN = 'the-token-of-the-admin'
/** Both targets of the alias fail, and their fallback answers. */
const CONFIG = `
aliases:
  team: { strategy: priority, targets: [{ model: mock/500 }, { model: mock/429 }] }
fallbacks:
  mock/500: [mock/echo]
`

describe.each(HOSTS)('a key that is restricted to models, under the %s host', host => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'parley-key-models-')), 'gateway.yaml')
    writeFileSync(path, CONFIG)
    gateway = await GatewayProcess.start(host, { ADMIN_TOKEN, GATEWAY_CONFIG: path })
  })
  afterAll(() => gateway?.stop())

  const post = async (credential: string, path: string, body: object) => {
    const response = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: response.status, json: await response.json() }
  }
  const answerTo = async (models: readonly string[] | undefined, model: string) => {
    const made = await post(ADMIN_TOKEN, '/api/admin/keys', { name: 'test', scopes: { models } })
    const { status, json } = await post(made.json.key, '/api/chat', { prompt: 'Hi', model })
    return [status, json.model ?? json.error.code]
  }

  it.each([
    ['an alias', ['team'], 'team'],
    ['a model', ['mock/500'], 'mock/500'],
    ['names by a pattern', ['mock/5*', 'te*'], 'team'],
  ])('is not answered by a fallback of %s that is outside its scopes', async (_, models, model) => {
    const [status, code] = await answerTo(models, model)
    expect(status).toBeGreaterThanOrEqual(500)
    expect(code).toMatch(/^(PROVIDER_ERROR|PROVIDER_RATE_LIMIT|MODEL_UNAVAILABLE)$/)
  })

  it.each([
    ['includes', ['team', 'mock/echo'], 'team'],
    ['includes by a pattern', ['mock/*'], 'mock/500'],
    ['do not restrict', undefined, 'team'],
  ])('is answered by a fallback that its scopes %s', async (_, models, model) => {
    expect(await answerTo(models, model)).toEqual([200, 'mock/echo'])
  })
})
