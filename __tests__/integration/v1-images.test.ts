import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { type Behaviour, refuses, sends, sse } from '../support/upstream-behaviour.ts'

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const json = (value: object): Behaviour => sends([JSON.stringify(value)], { type: 'application/json' })
/** Draws so many images, each with a field of its own. */
const drawing = (images: number): Behaviour => {
  const image = { b64_json: PIXEL, revised_prompt: 'a cat', vendor_note: 'kept' }
  return json({ created: 1, data: Array.from({ length: images }, () => image) })
}
const draws: Behaviour = (response, asked, signal) =>
  drawing((asked as { n?: number }).n ?? 1)(response, asked, signal)

type Body = Record<string, unknown>

describe.each(HOSTS)('POST /v1/images under the %s server', host => {
  let upstream: FakeUpstream
  let stability: FakeUpstream
  let gateway: GatewayProcess
  let direct: OpenAI
  let through: OpenAI
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-images-'))

  const post = (body: object) =>
    fetch(`${gateway.url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const bodiesOf = (fake: FakeUpstream): Body[] => fake.calls.map(({ body }) => JSON.parse(body))
  /** Lets the first so many attempts at OpenAI fail. */
  const failing = (attempts: number): void => {
    let calls = 0
    upstream.usually((...call) => {
      calls += 1
      return (calls <= attempts ? refuses(500) : draws)(...call)
    })
  }

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    stability = await FakeUpstream.start()
    gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      STABILITY_API_KEY: 'sk-stability',
      STABILITY_BASE_URL: stability.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      BREAKER_FAILURES: '1000',
      MAX_RETRIES: '0',
      DATA_DIR: dataDir,
    })
    direct = new OpenAI({ baseURL: upstream.baseUrl, apiKey: 'any', maxRetries: 0 })
    through = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
  })
  beforeEach(() => {
    upstream.usually(draws)
    stability.usually(draws)
    upstream.calls.length = 0
    stability.calls.length = 0
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
    await stability?.stop()
  })

  it('give the official client what the upstream gives it', async () => {
    const asked = { model: 'dall-e-3', prompt: 'a cat', size: '1792x1024', style: 'natural' } as const
    const ours = await through.images.generate(asked)
    const theirs = await direct.images.generate(asked)
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
    expect(upstream.calls[0]?.body).toBe(upstream.calls[1]?.body)
  })

  it.each([
    ['dall-e-3', {}, '0.04'],
    ['dall-e-3', { quality: 'hd' }, '0.08'],
    ['dall-e-3', { quality: 'hd', size: '1024x1792' }, '0.12'],
    ['dall-e-2', { size: '256x256', n: 3 }, '0.048'],
    ['dall-e-2', {}, '0.02'],
    ['gpt-image-9', {}, null],
  ])('cost what the size and quality of %s cost: %o', async (model, fields, cost) => {
    const response = await post({ model, prompt: 'a cat', ...fields })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-gateway-cost-usd')).toBe(cost)
  })

  it.each([
    [3, 1, '0.016'],
    [1, 0, '0'],
    [1, 2, '0.032'],
  ])('are charged as they came: of %i requested, %i', async (n, came, cost) => {
    upstream.usually(drawing(came))
    const response = await post({ model: 'dall-e-2', prompt: 'a cat', size: '256x256', n })
    expect(response.headers.get('x-gateway-cost-usd')).toBe(cost)
  })

  it('cost the tokens that the upstream counts, those of images apart', async () => {
    const usage = {
      input_tokens: 1_100,
      output_tokens: 1_000,
      total_tokens: 2_100,
      input_tokens_details: { text_tokens: 100, image_tokens: 1_000 },
    }
    upstream.usually(json({ created: 1, data: [{ b64_json: PIXEL }], usage }))
    const response = await post({ model: 'gpt-image-1', prompt: 'a cat' })
    expect(response.headers.get('x-gateway-cost-usd')).toBe('0.0505')
  })

  describe('fall back along the chain', () => {
    const WIDE = {
      prompt: 'a cat',
      quality: 'hd',
      size: '1792x1024',
      style: 'vivid',
      response_format: 'b64_json',
    }
    const base = { prompt: 'a cat', size: '1024x1024', response_format: 'b64_json' }

    it('from dall-e-3 hd to dall-e-3 standard', async () => {
      failing(1)
      const response = await post({ model: 'dall-e-3', ...WIDE })
      expect(response.status).toBe(200)
      expect(bodiesOf(upstream)).toEqual([
        { model: 'dall-e-3', ...WIDE },
        { model: 'dall-e-3', ...WIDE, quality: 'standard' },
      ])
      expect(response.headers.get('x-gateway-fallback')).toBe('true')
      expect(response.headers.get('x-gateway-cost-usd')).toBe('0.08')
    })

    it('to dall-e-2, without the quality and style that it does not have, in a size of its own', async () => {
      failing(2)
      const response = await post({ model: 'dall-e-3', ...WIDE })
      expect(bodiesOf(upstream).at(-1)).toEqual({ model: 'dall-e-2', ...base })
      expect(response.headers.get('x-gateway-model')).toBe('dall-e-2')
      expect(response.headers.get('x-gateway-params-dropped')).toBe('quality, style')
      expect(response.headers.get('x-gateway-cost-usd')).toBe('0.02')
    })

    it('to stable-diffusion at its own provider, with its own key', async () => {
      failing(3)
      const response = await post({ model: 'dall-e-3', ...WIDE })
      expect(response.status).toBe(200)
      expect(bodiesOf(stability)).toEqual([{ model: 'stable-diffusion', ...base, size: '1792x1024' }])
      expect(stability.calls[0]?.path).toBe('/v1/images/generations')
      expect(stability.calls[0]?.headers.authorization).toBe('Bearer sk-stability')
      expect(response.headers.get('x-gateway-provider')).toBe('stability')
      expect(response.headers.get('x-gateway-attempts')).toBe('4')
      expect(response.headers.has('x-gateway-cost-usd')).toBe(false)
    })

    it('to its end, and then report the failure of the requested model', async () => {
      failing(9)
      stability.usually(refuses(503))
      const response = await post({ model: 'dall-e-3', ...WIDE })
      expect(response.status).toBe(502)
      expect(await response.json()).toMatchObject({ error: { code: 'provider_error' } })
      expect(response.headers.get('x-should-retry')).toBe('false')
    })

    it('from where the requested model and quality stand', async () => {
      failing(1)
      await post({ model: 'dall-e-3', prompt: 'a cat' })
      expect(bodiesOf(upstream)).toEqual([
        { model: 'dall-e-3', prompt: 'a cat' },
        { model: 'dall-e-2', prompt: 'a cat' },
      ])
    })

    it('from its top where no model is named', async () => {
      failing(1)
      await post({ prompt: 'a cat' })
      expect(bodiesOf(upstream).map(({ model, quality }) => [model, quality])).toEqual([
        ['dall-e-3', 'hd'],
        ['dall-e-3', 'standard'],
      ])
    })

    it('not after a refusal of the request itself', async () => {
      const error = { message: 'no such size', type: 'invalid_request_error', param: 'size', code: null }
      upstream.usually(refuses(400, { body: JSON.stringify({ error }) }))
      const response = await post({ model: 'dall-e-3', ...WIDE })
      expect(response.status).toBe(400)
      expect(await response.json()).toEqual({ error })
      expect(upstream.calls).toHaveLength(1)
    })
  })

  it('stream events through as they come', async () => {
    const events = [
      { type: 'image_generation.partial_image', b64_json: PIXEL, partial_image_index: 0 },
      { type: 'image_generation.completed', b64_json: PIXEL, usage: { input_tokens: 10, output_tokens: 20 } },
    ]
    const text = events.map(event => `event: ${event.type}\n${sse(event)}`)
    upstream.usually(sends(text))
    const response = await post({ model: 'gpt-image-1', prompt: 'a cat', stream: true, partial_images: 1 })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await response.text()).toBe(text.join(''))
    const line = await gateway.lineOf(response.headers.get('x-request-id') ?? '')
    expect(line).toMatchObject({ inputTokens: 10, outputTokens: 20, costUsd: 0.00085 })
  })

  it('refuse more than ten images of one request, and a request without a prompt', async () => {
    expect((await post({ model: 'dall-e-2', prompt: 'a cat', n: 11 })).status).toBe(400)
    expect((await post({ model: 'dall-e-2' })).status).toBe(400)
    expect(upstream.calls).toHaveLength(0)
  })

  describe('edits', () => {
    const image = async (bytes: number, name = 'größe.png') =>
      toFile(Buffer.alloc(bytes, 'x'), name, { type: 'image/png' })

    it('send the form on, files and fields in their order, and leave no file on disk', async () => {
      const asked = {
        model: 'gpt-image-1',
        prompt: 'a hat',
        image: [await image(3_000_000), await image(10)],
      }
      const ours = await through.images.edit(asked)
      const theirs = await direct.images.edit(asked)
      expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
      const [own, reference] = upstream.calls.map(({ headers, bytes }) => ({ headers, bytes }))
      const formOf = async (call: typeof own) => {
        const { headers, bytes = Buffer.alloc(0) } = call ?? {}
        const request = new Response(new Uint8Array(bytes), {
          headers: { 'content-type': headers?.['content-type'] ?? '' },
        })
        const parts = [...(await request.formData())]
        return parts.map(([name, value]) =>
          typeof value === 'string' ? [name, value] : [name, value.name, value.type, value.size],
        )
      }
      expect(await formOf(own)).toEqual(await formOf(reference))
      expect(readdirSync(join(dataDir, 'media'))).toEqual([])
    })

    it('are refused without an image', async () => {
      const form = new FormData()
      form.append('prompt', 'a hat')
      const response = await fetch(`${gateway.url}/v1/images/edits`, { method: 'POST', body: form })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { param: 'image' } })
      expect(readdirSync(join(dataDir, 'media'))).toEqual([])
    })
  })
})

describe('the images’ chain and limit', () => {
  it('are those of GATEWAY_CONFIG', async () => {
    const upstream = await FakeUpstream.start()
    const path = join(mkdtempSync(join(tmpdir(), 'parley-config-')), 'gateway.yaml')
    writeFileSync(
      path,
      `models: [{ id: house-painter, provider: openai, usdPerImage: { "standard 1024x1024": 0.5 } }]
images: { chain: [{ model: dall-e-2 }, { model: house-painter }] }
limits: { images: 2/1m }
`,
    )
    const gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      MAX_RETRIES: '0',
      GATEWAY_CONFIG: path,
    })
    try {
      upstream.forModel('dall-e-2', refuses(500)).usually(draws)
      const ask = () =>
        fetch(`${gateway.url}/v1/images/generations`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'dall-e-2', prompt: 'a cat' }),
        })
      const first = await ask()
      expect(first.headers.get('x-gateway-model')).toBe('house-painter')
      expect(first.headers.get('x-gateway-cost-usd')).toBe('0.5')
      expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2')
      await ask()
      expect((await ask()).status).toBe(429)
    } finally {
      await gateway.stop()
      await upstream.stop()
    }
  })

  it('is 10 a minute for edits and generations together, counted before a file is read', async () => {
    const gateway = await GatewayProcess.start('native')
    try {
      const form = () => {
        const data = new FormData()
        data.append('prompt', 'a hat')
        data.append('image', new Blob(['x']), 'a.png')
        return data
      }
      const edit = () => fetch(`${gateway.url}/v1/images/edits`, { method: 'POST', body: form() })
      for (let request = 0; request < 10; request += 1) expect((await edit()).status).toBe(200)
      const refused = await edit()
      expect(refused.status).toBe(429)
      expect(await refused.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
    } finally {
      await gateway.stop()
    }
  })
})

describe('Stability AI’s own API', () => {
  it('makes the last image of the chain, in OpenAI’s form', async () => {
    const stability = await FakeUpstream.start()
    const gateway = await GatewayProcess.start('native', {
      STABILITY_API_KEY: 'sk-stability',
      STABILITY_BASE_URL: stability.baseUrl.replace('/v1', '/v2beta'),
    })
    try {
      stability.usually(json({ image: PIXEL, finish_reason: 'SUCCESS', seed: 1 }))
      const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
      const asked = { model: 'stable-diffusion', prompt: 'a cat', size: '1792x1024' } as const
      const { data } = await client.images.generate({ ...asked, response_format: 'b64_json' })
      expect(data).toEqual([{ b64_json: PIXEL }])
      const byUrl = await client.images.generate(asked)
      expect(byUrl.data).toEqual([{ url: `data:image/png;base64,${PIXEL}` }])
      const [call] = stability.calls
      expect(call?.path).toBe('/v2beta/stable-image/generate/core')
      expect(call?.headers).toMatchObject({
        authorization: 'Bearer sk-stability',
        accept: 'application/json',
      })
      expect(call?.body).toMatch(/name="aspect_ratio"\r\n\r\n16:9\r\n/)
      expect(call?.body).toMatch(/name="prompt"\r\n\r\na cat\r\n/)

      const more = { ...asked, n: 2, quality: 'hd' } as const
      const { response } = await client.images.generate(more).withResponse()
      expect(response.headers.get('x-gateway-params-dropped')).toBe('n, quality')
      const calls = stability.calls.length
      const strict = { headers: { 'x-gateway-strict': 'true' } }
      await expect(client.images.generate(more, strict)).rejects.toMatchObject({ status: 400, param: 'n' })
      expect(stability.calls).toHaveLength(calls)
    } finally {
      await gateway.stop()
      await stability.stop()
    }
  })
})
