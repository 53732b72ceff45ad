import { existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { type Behaviour, inTurn, refuses, sends, sse } from '../support/upstream-behaviour.ts'

const MEGABYTE = 1_000_000
const json = (value: object): Behaviour => sends([JSON.stringify(value)], { type: 'application/json' })
const hears = json({ text: 'Hello', usage: { type: 'duration', seconds: 90 }, vendor_note: 'kept' })
/** The files of requests that are under way. */
const filesIn = (dataDir: string): readonly string[] => {
  const directory = join(dataDir, 'media')
  return existsSync(directory) ? readdirSync(directory) : []
}
const audio = (bytes: number) => toFile(Buffer.alloc(bytes, 'a'), 'speech.mp3', { type: 'audio/mpeg' })

describe.each(HOSTS)('audio under the %s server', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess
  let direct: OpenAI
  let through: OpenAI
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-audio-'))
  const filesLeft = () => filesIn(dataDir)

  const send = (body: FormData, signal?: AbortSignal) =>
    fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body, ...(signal && { signal }) })
  const formOf = (fields: Record<string, string>, bytes = 10): FormData => {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    form.append('file', new Blob([Buffer.alloc(bytes, 'a')], { type: 'audio/mpeg' }), 'speech.mp3')
    return form
  }

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      BREAKER_FAILURES: '1000',
      V1_MAX_UPLOAD_BYTES: String(80 * MEGABYTE),
      DATA_DIR: dataDir,
    })
    direct = new OpenAI({ baseURL: upstream.baseUrl, apiKey: 'any', maxRetries: 0 })
    through = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
  })
  beforeEach(() => {
    upstream.usually(hears)
    upstream.calls.length = 0
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  describe('POST /v1/audio/transcriptions', () => {
    it('gives the official client what the upstream gives it, for a file of 12 MB', async () => {
      const asked = { model: 'whisper-1', file: await audio(12 * MEGABYTE), language: 'de' }
      const ours = await through.audio.transcriptions.create(asked)
      const theirs = await direct.audio.transcriptions.create(asked)
      expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
      const sizes = upstream.calls.map(
        ({ bytes }) => bytes.toString('latin1').split('a'.repeat(1_000)).length,
      )
      expect(sizes[0]).toBe(sizes[1])
      expect(filesLeft()).toEqual([])
    })

    it('prices the seconds that the upstream counts, and says no cost where it counts none', async () => {
      const counted = await send(formOf({ model: 'whisper-1' }))
      expect(counted.headers.get('x-gateway-cost-usd')).toBe('0.009')
      upstream.usually(json({ text: 'Hello' }))
      const uncounted = await send(formOf({ model: 'whisper-1' }))
      expect(uncounted.headers.has('x-gateway-cost-usd')).toBe(false)
    })

    it('prices tokens of audio apart from those of text', async () => {
      const usage = {
        type: 'tokens',
        input_tokens: 1_100,
        output_tokens: 100,
        total_tokens: 1_200,
        input_token_details: { audio_tokens: 1_000, text_tokens: 100 },
      }
      upstream.usually(json({ text: 'Hello', usage }))
      const response = await send(formOf({ model: 'gpt-4o-transcribe' }))
      expect(response.headers.get('x-gateway-cost-usd')).toBe('0.00725')
    })

    it.each(['text/plain; charset=utf-8', 'text/vtt'])('returns %s as it comes', async type => {
      upstream.usually(sends(['WEBVTT\n\n00:00 größe\n'], { type }))
      const response = await send(formOf({ model: 'whisper-1', response_format: 'vtt' }))
      expect(response.headers.get('content-type')).toBe(type)
      expect(await response.text()).toBe('WEBVTT\n\n00:00 größe\n')
    })

    it('streams events through', async () => {
      const events = [
        { type: 'transcript.text.delta', delta: 'Hel' },
        { type: 'transcript.text.done', text: 'Hello' },
      ]
      upstream.usually(sends(events.map(sse)))
      const stream = await through.audio.transcriptions.create({
        model: 'gpt-4o-transcribe',
        file: await audio(10),
        stream: true,
      })
      const received: unknown[] = []
      for await (const event of stream) received.push(event)
      expect(received).toEqual(events)
      await gateway.until(() => filesLeft().length === 0 || undefined, 'the removal of the file')
    })

    it('sends the whole form again when an attempt fails', async () => {
      upstream.usually(inTurn(refuses(500), hears))
      const response = await send(formOf({ model: 'whisper-1' }, 2 * MEGABYTE))
      expect(response.status).toBe(200)
      const [first, second] = upstream.calls.map(({ bytes }) => bytes.length)
      expect(second).toBe(first)
    })

    it('is 404 for an unknown model, and 400 without a model or a file', async () => {
      const unknown = await send(formOf({ model: 'no-such-model' }))
      expect(unknown.status).toBe(404)
      expect(await unknown.json()).toMatchObject({ error: { code: 'model_not_found' } })
      expect((await send(formOf({}))).status).toBe(400)
      const empty = new FormData()
      empty.append('model', 'whisper-1')
      expect((await send(empty)).status).toBe(400)
      expect(upstream.calls).toHaveLength(0)
      expect(filesLeft()).toEqual([])
    })

    it('is 415 for a body that is no form', async () => {
      const response = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
      expect(response.status).toBe(415)
    })

    it('is 413 beyond the limit, and leaves no file on disk', async () => {
      const response = await send(formOf({ model: 'whisper-1' }, 81 * MEGABYTE))
      expect(response.status).toBe(413)
      expect(filesLeft()).toEqual([])
    })

    it('removes the file when the client leaves in the middle of it', async () => {
      const sent = request(`${gateway.url}/v1/audio/transcriptions`, {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': '1000000' },
      })
      sent.on('error', () => {})
      sent.write(
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\ncontent-type: audio/mpeg\r\n\r\naaa',
      )
      await gateway.until(() => filesLeft().length > 0 || undefined, 'the file')
      sent.destroy()
      await gateway.until(() => filesLeft().length === 0 || undefined, 'the removal of the file')
    })

    it('ends the upstream’s call and removes the file when the client leaves while it waits', async () => {
      upstream.usually(() => {})
      const left = new AbortController()
      const sent = send(formOf({ model: 'whisper-1' }), left.signal).catch(() => {})
      await gateway.until(() => upstream.calls[0], 'the call')
      left.abort()
      await sent
      await gateway.until(() => upstream.calls[0]?.abandonedAt, 'the end of the call')
      await gateway.until(() => filesLeft().length === 0 || undefined, 'the removal of the file')
    })
  })

  it('POST /v1/audio/translations has the same form', async () => {
    const { text } = await through.audio.translations.create({ model: 'whisper-1', file: await audio(10) })
    expect(text).toBe('Hello')
    expect(upstream.calls[0]?.path).toBe('/v1/audio/translations')
  })

  describe('POST /v1/audio/speech', () => {
    const asked = { model: 'tts-1', voice: 'alloy', input: 'Grüße 👋' } as const
    const bytes = Buffer.from(Array.from({ length: 3_000 }, (_, index) => index % 256))

    it('gives the official client the audio byte for byte, with its content type', async () => {
      upstream.usually(sends([bytes.subarray(0, 1_000), bytes.subarray(1_000)], { type: 'audio/mpeg' }))
      const ours = await through.audio.speech.create(asked)
      expect(ours.headers.get('content-type')).toBe('audio/mpeg')
      expect(Buffer.from(await ours.arrayBuffer()).equals(bytes)).toBe(true)
      const line = await gateway.lineOf(ours.headers.get('x-request-id') ?? '')
      expect(line).toMatchObject({ costUsd: (7 * 15) / 1e6 })
    })

    it('begins to play before it is complete', async () => {
      upstream.usually(sends([bytes], { type: 'audio/mpeg', ending: 'stall' }))
      const response = await through.audio.speech.create(asked)
      const reader = response.body?.getReader()
      const { value } = (await reader?.read()) ?? {}
      expect(value?.length).toBe(bytes.length)
      await reader?.cancel()
      await gateway.until(() => upstream.calls[0]?.abandonedAt, 'the end of the call')
    })

    it('breaks the connection where the upstream breaks it: half an answer is not taken for a whole one', async () => {
      upstream.usually(sends([bytes], { type: 'audio/mpeg', ending: 'reset' }))
      await expect(
        through.audio.speech.create(asked).then(response => response.arrayBuffer()),
      ).rejects.toThrow()
    })
  })
})

describe('the event loop', () => {
  it('is never blocked for 50 ms by forms of 60 MB', async () => {
    const upstream = await FakeUpstream.start()
    const gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
    })
    try {
      upstream.usually(hears)
      const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
      const ask = async (bytes: number) =>
        client.audio.transcriptions.create({ model: 'whisper-1', file: await audio(bytes) })
      await ask(10)
      await gateway.watchLoop()
      await Promise.all([ask(60 * MEGABYTE), ask(60 * MEGABYTE)])
      const delays = await gateway.loopDelays()
      delays.expectBelow(50)
    } finally {
      await gateway.stop()
      await upstream.stop()
    }
  })
})

describe('a process that dies during a request', () => {
  it('leaves files that the next start removes', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'parley-audio-'))
    const env = { OPENAI_API_KEY: 'sk-test', DATA_DIR: dataDir }
    const filesLeft = () => filesIn(dataDir)
    const gateway = await GatewayProcess.start('native', env)
    const sent = request(`${gateway.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': '1000000' },
    })
    sent.on('error', () => {})
    sent.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\naaa')
    await gateway.until(() => filesLeft().length > 0 || undefined, 'the file')
    await gateway.stop()
    expect(filesLeft()).toHaveLength(1)
    const next = await GatewayProcess.start('native', env)
    expect(filesLeft()).toEqual([])
    await next.stop()
  })
})
