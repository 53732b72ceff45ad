import { describe, expect, it } from 'vitest'
import { collectEvents } from '#lib/llm/events.ts'
import type { Endpoint, PassthroughRequest } from '#lib/llm/passthrough.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import type { Reply } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { newAttempt, newCall, TARGET } from '../../support/calls.ts'
import { providerThatSends } from '../../support/wire-fixtures.ts'

const JSON_TYPE = 'application/json'
const PAGE_TYPE = 'text/html; charset=utf-8'
const PAGE = '<html>Welcome</html>'
const VTT = 'WEBVTT\n\n00:00 Hello\n'

const requestTo = (endpoint: Endpoint, format?: string): PassthroughRequest => ({
  endpoint,
  body: { kind: 'json', members: membersOf(format ? `{"response_format":"${format}"}` : '{"input":"Hi"}') },
  namesModel: true,
  inputs: 1,
})

type Asked = Readonly<{ endpoint: Endpoint; format?: string; stream?: boolean }>

const answer = async ({ endpoint, format, stream = false }: Asked, type: string, body: string) => {
  const provider = providerThatSends(openai, type, body)
  const call = newCall({ stream, passthrough: requestTo(endpoint, format) })
  const reply: Reply | undefined = await provider.pass?.(call, TARGET, newAttempt())
  return reply
}

/** The main members of answers: OpenAI's first, then those of compatible servers. */
const ANSWERS: Readonly<Record<Exclude<Endpoint, 'audio/speech'>, readonly object[]>> = {
  embeddings: [{ data: [] }, { embeddings: [] }],
  completions: [{ choices: [] }],
  moderations: [{ results: [] }],
  'images/generations': [{ data: [] }, { images: [] }],
  'images/edits': [{ data: [] }, { images: [] }],
  'audio/transcriptions': [{ text: '' }, { segments: [] }],
  'audio/translations': [{ text: '' }, { segments: [] }],
  rerank: [{ results: [] }, { data: [] }],
}

const ENDPOINTS: readonly Asked[] = [
  { endpoint: 'embeddings' },
  { endpoint: 'moderations' },
  { endpoint: 'rerank' },
  { endpoint: 'images/generations' },
  { endpoint: 'images/generations', stream: true },
  { endpoint: 'images/edits' },
  { endpoint: 'completions' },
  { endpoint: 'completions', stream: true },
  { endpoint: 'audio/speech', stream: true },
  { endpoint: 'audio/transcriptions' },
  { endpoint: 'audio/transcriptions', stream: true },
  { endpoint: 'audio/transcriptions', format: 'vtt' },
  { endpoint: 'audio/translations', format: 'text' },
]

describe.each(ENDPOINTS)('a successful response to %o', asked => {
  it.each([
    ['a web page', PAGE_TYPE, PAGE],
    ['nothing', 'text/plain', ''],
    ['nothing, as JSON', JSON_TYPE, ''],
    ['nothing, as a stream', 'text/event-stream', ''],
    ['nothing of any type', '', ''],
  ])('is an error that may pass where it holds %s', async (_, type, body) => {
    await expect(answer(asked, type, body)).rejects.toMatchObject({
      status: 502,
      retryable: true,
    })
  })
})

describe('a successful response of an endpoint that answers JSON', () => {
  const answersOf = ({ endpoint }: Asked): readonly string[] =>
    endpoint === 'audio/speech' ? [] : ANSWERS[endpoint].map(one => JSON.stringify(one))
  const ofJson = ENDPOINTS.filter(({ endpoint, format }) => !format && endpoint !== 'audio/speech')

  it.each(ofJson.flatMap(asked => answersOf(asked).map(text => [asked, text] as const)))(
    'is read as JSON whatever its content type says: %o, %s',
    async (asked, text) => {
      const reply = await answer(asked, 'text/plain', text)
      expect(reply?.head.mediaType).toBe(JSON_TYPE)
      expect(reply && (await collectEvents(reply))).toContainEqual({ type: 'body-text', text })
      await expect(answer(asked, 'text/plain', 'Welcome')).rejects.toThrow('invalid JSON')
    },
  )

  it.each(ofJson)('is an error that may pass where it is JSON, but no answer: %o', async asked => {
    const nonsense = ['null', '[]', '"x"', '7', '{}', '{"object":"list"}', '{"data":"x","text":null}']
    for (const text of nonsense)
      await expect(answer(asked, JSON_TYPE, text), text).rejects.toMatchObject({
        code: 'PROVIDER_ERROR',
        status: 502,
        retryable: true,
      })
  })

  it('is the error that it holds in place of an answer, with or without an envelope', async () => {
    const error = { message: 'overloaded', type: 'server_error' }
    for (const body of [{ error }, [{ error }], { object: 'error', ...error }, { error: 'overloaded' }])
      await expect(
        answer({ endpoint: 'embeddings' }, JSON_TYPE, JSON.stringify(body)),
        JSON.stringify(body),
      ).rejects.toThrow(/overloaded/)
  })

  it('passes with fields beside its answer that describe no error', async () => {
    const text = '{"data":[],"error":{"message":null},"message":"success","code":200}'
    const reply = await answer({ endpoint: 'embeddings' }, JSON_TYPE, text)
    expect(reply && (await collectEvents(reply))).toContainEqual({ type: 'body-text', text })
  })

  it('is refused where it is long and no object', async () => {
    const long = JSON.stringify(Array.from({ length: 200_000 }, () => 'long'))
    await expect(answer({ endpoint: 'embeddings' }, JSON_TYPE, long)).rejects.toMatchObject({ status: 502 })
  })

  it('is refused where it is long and no JSON', async () => {
    const long = PAGE.repeat(100_000)
    await expect(answer({ endpoint: 'embeddings' }, PAGE_TYPE, long)).rejects.toThrow('invalid JSON')
  })
})

describe('embeddings', () => {
  it.each([
    ['one vector for the only input', 1, 'stop'],
    ['none', 0, 'other'],
    ['more than there are inputs', 2, 'other'],
  ])('end as complete with one vector for each input alone: %s', async (_, vectors, reason) => {
    const data = Array.from({ length: vectors }, (__, index) => ({ index, embedding: [1] }))
    const reply = await answer({ endpoint: 'embeddings' }, JSON_TYPE, JSON.stringify({ data }))
    expect((reply ? await collectEvents(reply) : []).at(-1)).toEqual({ type: 'finish', reason })
  })
})

it('a text that was asked for may come as a JSON text, but as no other JSON without a text', async () => {
  const asked: Asked = { endpoint: 'audio/transcriptions', format: 'text' }
  const reply = await answer(asked, JSON_TYPE, '"Hello"')
  expect(reply && (await collectEvents(reply))).toContainEqual({ type: 'body-text', text: '"Hello"' })
  for (const text of ['null', '[]', '{}'])
    await expect(answer(asked, JSON_TYPE, text), text).rejects.toMatchObject({ status: 502 })
})

it.each<[Asked, string]>([
  [{ endpoint: 'audio/speech', stream: true }, 'audio/mpeg'],
  [{ endpoint: 'audio/speech', stream: true }, 'application/octet-stream'],
  [{ endpoint: 'audio/transcriptions', format: 'vtt' }, 'text/vtt'],
  [{ endpoint: 'audio/transcriptions', format: 'srt' }, 'text/plain'],
  [{ endpoint: 'audio/translations', format: 'text' }, 'text/plain'],
])('audio and text of %o pass as they come, as %s', async (asked, type) => {
  const reply = await answer(asked, type, VTT)
  expect(reply?.head.mediaType).toBe(type)
  expect(reply && (await collectEvents(reply))).toContainEqual({
    type: 'body-bytes',
    bytes: Buffer.from(VTT),
  })
})
