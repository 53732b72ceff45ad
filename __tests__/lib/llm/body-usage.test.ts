import { describe, expect, it } from 'vitest'
import type { Endpoint, PassthroughRequest } from '#lib/llm/passthrough.ts'
import { bodyUsage, usageInTail } from '#lib/llm/providers/shared/body-usage.ts'
import { membersOf } from '#lib/raw-json.ts'

const requestTo = (endpoint: Endpoint, body: object = {}): PassthroughRequest => ({
  endpoint,
  body: { kind: 'json', members: membersOf(JSON.stringify(body)) },
  namesModel: true,
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
  ])('reads %s', (_, reported, usage) => {
    expect(bodyUsage(requestTo('embeddings'), { usage: { ...reported }, textBytes: 0 })).toEqual(usage)
  })

  it.each<[string, Endpoint, object, unknown, object]>([
    [
      'characters of speech, not UTF-16 units',
      'audio/speech',
      { input: 'a👋' },
      undefined,
      { unit: 'character', count: 2 },
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

describe('the usage at the end of a long body', () => {
  it.each<[string, string, object | undefined]>([
    ['is found', `{"data":"${'x'.repeat(9_000)}","usage": {"a":{"b":1},"c":2}}`, { a: { b: 1 }, c: 2 }],
    ['is not mistaken for text that looks like it', JSON.stringify({ text: '"usage":{"c":2}' }), undefined],
    ['is absent where it is null', '{"usage":null}', undefined],
  ])('%s', (_, json, usage) => {
    expect(usageInTail(json)).toEqual(usage)
  })
})
