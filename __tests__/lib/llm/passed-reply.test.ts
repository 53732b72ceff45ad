import { describe, expect, it } from 'vitest'
import { collectEvents } from '#lib/llm/events.ts'
import type { Endpoint, PassthroughRequest } from '#lib/llm/passthrough.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import type { Reply } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { newCall, TARGET } from '../../support/calls.ts'
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
  const reply: Reply | undefined = await provider.pass?.(call, TARGET)
  return reply
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
  it.each(ENDPOINTS.filter(({ endpoint, format }) => !format && endpoint !== 'audio/speech'))(
    'is read as JSON whatever its content type says: %o',
    async asked => {
      const reply = await answer(asked, 'text/plain', '{"data":[]}')
      expect(reply?.head.mediaType).toBe(JSON_TYPE)
      expect(reply && (await collectEvents(reply))).toContainEqual({ type: 'body-text', text: '{"data":[]}' })
      await expect(answer(asked, 'text/plain', 'Welcome')).rejects.toThrow('invalid JSON')
    },
  )

  it('is refused where it is long and no JSON', async () => {
    const long = PAGE.repeat(100_000)
    await expect(answer({ endpoint: 'embeddings' }, PAGE_TYPE, long)).rejects.toThrow('invalid JSON')
  })
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
