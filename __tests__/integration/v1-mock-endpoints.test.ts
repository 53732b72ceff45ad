import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

describe.each(HOSTS)('without any key, under the %s server, the mock provider answers', host => {
  let gateway: GatewayProcess
  let client: OpenAI

  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, { ENABLE_RATE_LIMITING: 'false' })
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
  })
  afterAll(() => gateway?.stop())

  it('embeddings: the same unit vector for the same text, of the dimensions asked for', async () => {
    const asked = { model: 'mock', input: ['cat', 'dog'], dimensions: 8 }
    const [base64, floats] = [
      await client.embeddings.create(asked),
      await client.embeddings.create({ ...asked, encoding_format: 'float' }),
    ]
    const [cat, dog] = base64.data.map(({ embedding }) => embedding)
    expect(cat).toHaveLength(8)
    expect(cat).not.toEqual(dog)
    expect(Math.hypot(...(cat ?? []))).toBeCloseTo(1, 5)
    for (const [index, value] of (floats.data[0]?.embedding ?? []).entries())
      expect(value).toBeCloseTo(cat?.[index] ?? Number.NaN, 6)
  })

  it('images, as PNG files in Base64 or as a URL, also without a model', async () => {
    const [base64, url] = [
      await client.images.generate({ prompt: 'a cat', n: 2 }),
      await client.images.generate({ model: 'mock', prompt: 'a cat', response_format: 'url' }),
    ]
    const png = Buffer.from(base64.data?.[0]?.b64_json ?? '', 'base64')
    expect(base64.data).toHaveLength(2)
    expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
    expect(url.data?.[0]?.url).toBe(`data:image/png;base64,${png.toString('base64')}`)
    const image = await toFile(png, 'a.png', { type: 'image/png' })
    expect((await client.images.edit({ image, prompt: 'a hat' })).data).toHaveLength(1)
  })

  it('moderations, without a model too', async () => {
    const { results } = await client.moderations.create({ input: ['a', 'b'] })
    expect(results.map(({ flagged }) => flagged)).toEqual([false, false])
  })

  it('speech, as a valid WAV file', async () => {
    const speech = await client.audio.speech.create({ model: 'mock', voice: 'alloy', input: 'Hello' })
    const wav = Buffer.from(await speech.arrayBuffer())
    expect(speech.headers.get('content-type')).toBe('audio/wav')
    expect([wav.toString('latin1', 0, 4), wav.toString('latin1', 8, 16)]).toEqual(['RIFF', 'WAVEfmt '])
    expect(wav.readUInt32LE(4)).toBe(wav.length - 8)
    expect(wav.readUInt32LE(40)).toBe(wav.length - 44)
  })

  it('transcriptions and translations, whole and streamed', async () => {
    const file = await toFile(Buffer.from('audio'), 'a.mp3')
    const { text } = await client.audio.transcriptions.create({ model: 'mock', file })
    const stream = await client.audio.transcriptions.create({ model: 'mock', file, stream: true })
    let last: unknown
    for await (const event of stream) last = event
    expect(last).toEqual({ type: 'transcript.text.done', text })
    expect((await client.audio.translations.create({ model: 'mock', file })).text).toBe(text)
  })

  it('completions, whole and streamed', async () => {
    const asked = { model: 'mock', prompt: 'Hi' }
    const { choices, usage } = await client.completions.create(asked)
    let text = ''
    for await (const chunk of await client.completions.create({ ...asked, stream: true }))
      text += chunk.choices[0]?.text
    expect(text).toBe(choices[0]?.text)
    expect(usage?.completion_tokens).toBe(5)
  })

  it('rerank, the document with the query’s words first', async () => {
    const response = await fetch(`${gateway.url}/v1/rerank`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'mock', query: 'red cat', documents: ['a dog', 'a red cat'], top_n: 1 }),
    })
    expect(await response.json()).toMatchObject({ results: [{ index: 1, relevance_score: 1 }] })
  })

  it('failures by model name, in OpenAI’s form', async () => {
    await expect(client.embeddings.create({ model: 'mock/429', input: 'a' })).rejects.toMatchObject({
      status: 503,
      code: 'provider_rate_limit',
    })
    await expect(client.embeddings.create({ model: 'mock/none', input: 'a' })).rejects.toMatchObject({
      status: 404,
    })
  })
})

describe('the endpoints beside chat are protected as chat is', () => {
  it('by a deadline of their own for images and audio, a circuit breaker, and a limit of concurrent calls', async () => {
    const gateway = await GatewayProcess.start('native', {
      ENABLE_RATE_LIMITING: 'false',
      REQUEST_TIMEOUT_MS: '500',
      MEDIA_TIMEOUT_MS: '6000',
      MAX_RETRIES: '0',
      MAX_CONCURRENCY: '1',
      MOCK_LATENCY_MS: '50',
    })
    try {
      const post = async (path: string, body: object) => {
        const response = await fetch(`${gateway.url}/v1/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
        return [response.status, (await response.json()).error.code]
      }
      const startedAt = performance.now()
      expect(await post('embeddings', { model: 'mock/hang', input: 'a' })).toEqual([504, 'timeout'])
      expect(performance.now() - startedAt).toBeLessThan(5_500)
      expect(await post('images/generations', { model: 'mock/hang', prompt: 'a' })).toEqual([504, 'timeout'])
      const [slow, queued] = await Promise.all(
        ['mock/slow', 'mock'].map(model =>
          fetch(`${gateway.url}/v1/images/generations`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ model, prompt: 'a' }),
          }),
        ),
      )
      expect([slow?.status, queued?.status]).toEqual([200, 200])
      const timings = `${slow?.headers.get('server-timing')} ${queued?.headers.get('server-timing')}`
      expect(timings).toContain('queue;dur=')
      for (let call = 0; call < 3; call += 1)
        expect(await post('rerank', { model: 'mock/500', query: 'a', documents: ['a'] })).toEqual([
          502,
          'provider_error',
        ])
      expect(await post('rerank', { model: 'mock/500', query: 'a', documents: ['a'] })).toEqual([
        503,
        'model_unavailable',
      ])
    } finally {
      await gateway.stop()
    }
  })
})

describe('the limits of the endpoints beside chat', () => {
  it('are that of chat for what generates, and that of the rest for moderations', async () => {
    const gateway = await GatewayProcess.start('native', {
      RATE_LIMIT_ANONYMOUS: '2/1m',
      RATE_LIMIT_API: '50/1m',
    })
    try {
      const post = (path: string, body: object) =>
        fetch(`${gateway.url}/v1/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'mock', input: 'a', voice: 'alloy', ...body }),
        })
      expect((await post('embeddings', {})).headers.get('x-ratelimit-remaining-requests')).toBe('1')
      expect((await post('audio/speech', {})).headers.get('x-ratelimit-remaining-requests')).toBe('0')
      const form = new FormData()
      form.append('model', 'mock')
      form.append('file', new Blob(['a']), 'a.mp3')
      const heard = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body: form })
      for (const refused of [
        heard,
        await post('completions', {}),
        await post('rerank', { query: 'a', documents: ['a'] }),
        await post('chat/completions', { messages: [{ role: 'user', content: 'Hi' }] }),
      ]) {
        expect(refused.status).toBe(429)
        expect(await refused.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
        expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
      }
      const moderated = await post('moderations', {})
      expect(moderated.headers.get('x-ratelimit-limit-requests')).toBe('50')
    } finally {
      await gateway.stop()
    }
  })
})
