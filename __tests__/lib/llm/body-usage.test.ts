import { describe, expect, it } from 'vitest'
import type { Endpoint, PassthroughRequest } from '#lib/llm/passthrough.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { openrouter } from '#lib/llm/providers/openrouter.ts'
import { bodyUsage, usageInTail } from '#lib/llm/providers/shared/body-usage.ts'
import { membersOf } from '#lib/raw-json.ts'
import { collect, newAttempt, newCall, TARGET } from '../../support/calls.ts'
import { providerThatSends } from '../../support/wire-fixtures.ts'

const requestTo = (endpoint: Endpoint, body: object = {}): PassthroughRequest => ({
  endpoint,
  body: { kind: 'json', members: membersOf(JSON.stringify(body)) },
  namesModel: true,
  inputs: 1,
})

describe('the usage of an endpoint beside chat', () => {
  it.each<[string, object, object]>([
    ['embeddings’ tokens', { prompt_tokens: 8, total_tokens: 8 }, { inputTokens: 8, outputTokens: 0 }],
    ['a total alone', { total_tokens: 12 }, { inputTokens: 12, outputTokens: 0 }],
    [
      'a total below the output as no input',
      { completion_tokens: 20, total_tokens: 12 },
      { inputTokens: 0, outputTokens: 20 },
    ],
    [
      'cached tokens',
      { prompt_tokens: 8, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } },
      { inputTokens: 8, outputTokens: 2, cachedInputTokens: 4 },
    ],
    [
      'tokens of images',
      { input_tokens: 8, output_tokens: 2, input_tokens_details: { image_tokens: 6 } },
      { inputTokens: 8, outputTokens: 2, imageInputTokens: 6 },
    ],
    [
      'tokens of audio, and reasoning that is counted beside the output',
      {
        input_tokens: 14,
        output_tokens: 5,
        total_tokens: 22,
        input_token_details: { audio_tokens: 12 },
        output_tokens_details: { reasoning_tokens: 3 },
      },
      { inputTokens: 14, outputTokens: 8, reasoningTokens: 3, audioInputTokens: 12 },
    ],
    [
      'tokens that were written to the vendor’s cache',
      { prompt_tokens: 8, prompt_tokens_details: { cached_tokens: 2, cache_write_tokens: 5 } },
      { inputTokens: 8, outputTokens: 0, cachedInputTokens: 2, cacheWriteInputTokens: 5 },
    ],
    [
      'the service tier in it',
      { prompt_tokens: 8, service_tier: 'flex' },
      { inputTokens: 8, outputTokens: 0, serviceTier: 'flex' },
    ],
  ])('reads %s', (_, reported, usage) => {
    expect(bodyUsage(requestTo('embeddings'), { usage: { ...reported }, textBytes: 0 })).toEqual(usage)
  })

  it.each<[string, Endpoint, object, unknown, object]>([
    [
      'characters of speech, not UTF-16 units',
      'audio/speech',
      { input: 'a👋' },
      undefined,
      { unit: 'character', count: 2, tokens: { inputTokens: 2, outputTokens: 8 } },
    ],
    ['seconds of a verbose transcription', 'audio/transcriptions', {}, 8.5, { unit: 'second', count: 8.5 }],
    ['nothing of one that names no duration', 'audio/transcriptions', {}, null, { unit: 'unknown' }],
    [
      'images by quality and size',
      'images/generations',
      { n: 2, quality: 'hd', size: 'auto' },
      undefined,
      { unit: 'image', count: 2, kind: 'hd 1024x1024' },
    ],
    [
      'nothing of embeddings without tokens: unknown is not zero',
      'embeddings',
      {},
      undefined,
      { unit: 'unknown' },
    ],
  ])('counts %s', (_, endpoint, body, duration, billed) => {
    expect(bodyUsage(requestTo(endpoint, body), { usage: undefined, duration, textBytes: 0 }).billed).toEqual(
      billed,
    )
  })

  it('estimates, where none is reported, a completion by its texts and embeddings by their input', () => {
    const unreported = { usage: undefined, textBytes: 41 }
    expect(bodyUsage(requestTo('completions', { prompt: 'Say hello!' }), unreported)).toEqual({
      inputTokens: 3,
      outputTokens: 11,
      estimated: true,
    })
    expect(bodyUsage(requestTo('embeddings', { input: ['a', 'b'] }), unreported)).toEqual({
      inputTokens: 3,
      outputTokens: 0,
      estimated: true,
    })
  })
})

describe('the usage of a completion', () => {
  const asked = requestTo('completions', { prompt: 'Say hello!' })

  it('is estimated where the vendor reports zero beside text, which is not the same as nothing', () => {
    const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
    expect(bodyUsage(asked, { usage, textBytes: 41 })).toEqual({
      inputTokens: 3,
      outputTokens: 11,
      estimated: true,
    })
    expect(bodyUsage(asked, { usage, textBytes: 0 })).toEqual({ inputTokens: 0, outputTokens: 0 })
  })

  it('is at least that of the text that came, where it was cut', () => {
    const usage = { prompt_tokens: 8, completion_tokens: 2 }
    const cut = bodyUsage(asked, { usage, textBytes: 41, isCut: true })
    expect(cut).toEqual({ inputTokens: 8, outputTokens: 11, estimated: true })
    expect(bodyUsage(asked, { usage, textBytes: 41 })).toEqual({ inputTokens: 8, outputTokens: 2 })
  })

  it('has the tier that answered, and the cost that the vendor reports', () => {
    const reportedCostUsd = (usage: Readonly<Record<string, unknown>>) => usage.cost
    const usage = { prompt_tokens: 8, completion_tokens: 2, cost: 0.001 }
    const answer = { usage, tier: 'priority', textBytes: 9, reportedCostUsd }
    expect(bodyUsage(asked, answer)).toEqual({
      inputTokens: 8,
      outputTokens: 2,
      serviceTier: 'priority',
      reportedPicoUsd: 1_000_000_000,
    })
  })
})

describe('images that are charged one by one', () => {
  const image = (characters: number) => ({ revised_prompt: 'a "b64_json"', b64_json: 'A'.repeat(characters) })
  const chargedFor = async (n: number | undefined, type: string, ...pieces: readonly string[]) => {
    const provider = providerThatSends(openai, type, ...pieces)
    const call = newCall({
      passthrough: requestTo('images/generations', { n }),
      stream: type !== 'application/json',
    })
    const reply = await provider.pass?.(call, TARGET, newAttempt())
    if (reply) await collect(reply)
    const billed = (await reply?.usage)?.billed
    return billed?.unit === 'image' ? billed.count : billed
  }
  const imagesOf = (count: number, characters: number): string =>
    JSON.stringify({ created: 1, data: Array.from({ length: count }, () => image(characters)) })

  it.each([
    [3, 1],
    [1, 0],
    [1, 2],
    [undefined, 1],
    [3, 3],
  ])('are those that came: of %s requested, %i', async (n, count) => {
    expect(await chargedFor(n, 'application/json', imagesOf(count, 10))).toBe(count)
  })

  it('are counted in an answer of more than 1 MiB as it passes, wherever it is divided', async () => {
    const long = imagesOf(2, 700_000)
    const second = long.lastIndexOf('"b64_json":')
    for (const at of [second - 1, second + 1, second + 5, second + 9, second + 10])
      expect(await chargedFor(3, 'application/json', long.slice(0, at), long.slice(at))).toBe(2)
  })

  it('are those that were requested where the answer does not show their number', async () => {
    const urls = JSON.stringify({ data: [{ url: `data:image/png;base64,${'A'.repeat(1_100_000)}` }] })
    expect(await chargedFor(3, 'application/json', urls)).toBe(3)
    const events = `event: image_generation.completed\ndata: ${JSON.stringify(image(10))}\n\n`
    expect(await chargedFor(2, 'text/event-stream', events)).toBe(2)
  })

  it('are those that were requested where the answer is cut', async () => {
    expect(await chargedFor(3, 'application/json', imagesOf(2, 700_000).slice(0, -1))).toBe(3)
  })
})

describe('the cost that OpenRouter reports of an endpoint beside chat', () => {
  const usageOf = async (endpoint: Endpoint, type: string, body: string) => {
    const provider = providerThatSends(openrouter, type, body)
    const call = newCall({ passthrough: requestTo(endpoint), stream: type !== 'application/json' })
    const reply = await provider.pass?.(call, TARGET, newAttempt())
    if (reply) await collect(reply)
    return reply?.usage
  }

  it('takes precedence, of a whole body, of a stream, and of what is not billed by tokens', async () => {
    const usage = { prompt_tokens: 8, completion_tokens: 2, cost: 0.001 }
    const used = { inputTokens: 8, outputTokens: 2, reportedPicoUsd: 1_000_000_000 }
    const whole = JSON.stringify({ choices: [{ text: 'Hello' }], usage })
    expect(await usageOf('completions', 'application/json', whole)).toEqual(used)
    const chunks = [
      { choices: [{ text: 'Hello', finish_reason: 'stop' }], service_tier: 'flex' },
      { choices: [], usage },
    ]
    const stream = `${chunks.map(one => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n`
    expect(await usageOf('completions', 'text/event-stream', stream)).toEqual({
      ...used,
      serviceTier: 'flex',
    })
    const image = JSON.stringify({ data: [], usage: { cost: 0.001 } })
    expect(await usageOf('images/generations', 'application/json', image)).toMatchObject({
      billed: { unit: 'image' },
      reportedPicoUsd: 1_000_000_000,
    })
  })
})

describe('the usage at the end of a long body', () => {
  it.each<[string, string, object | undefined]>([
    ['is found', `{"data":"${'x'.repeat(9_000)}","usage": {"a":{"b":1},"c":2}}`, { a: { b: 1 }, c: 2 }],
    ['is not mistaken for text that looks like it', JSON.stringify({ text: '"usage":{"c":2}' }), undefined],
    ['is absent where it is null', '{"usage":null}', undefined],
  ])('%s', (_, json, usage) => {
    expect(usageInTail(json)).toEqual(usage)
  })
})
