import { describe, expect, it } from 'vitest'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { responseEvents } from '#lib/llm/providers/shared/responses-reply.ts'
import { connectionError, upstreamError } from '#lib/llm/providers/shared/upstream-error.ts'
import type { WireFormat } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { newAttempt, newCall } from '../../support/calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { answering } from '../../support/wire-fixtures.ts'

const refusal = (status: number, more: object = {}) => upstreamError({ provider: 'fake', status, ...more })

describe('a refusal of an upstream', () => {
  it.each([408, 409, 425, 429, 500, 502, 503, 504, 529])('may pass where its status is %i', status => {
    expect(refusal(status).retryable).toBe(true)
  })

  it.each([400, 401, 402, 403, 404, 405, 410, 413, 422, 501, 505])(
    'is final where its status is %i',
    status => {
      expect(refusal(status).retryable).toBe(false)
    },
  )

  it.each([401, 402, 403])('is of our access where its status is %i', status => {
    expect(refusal(status).refused).toBe('access')
  })

  it.each([405, 409, 410, 415, 425, 451, 498])('is of the request where its status is %i', status => {
    expect(refusal(status).refused).toBe('request')
  })

  it.each([300, 301, 302, 303, 304, 307, 308])('is final where it is a redirect, such as %i', status => {
    const body = '<h1>Moved</h1> Rate limit reached; please try again. http://internal.example/?key=secret'
    const headers = new Headers({ location: 'http://internal.example/?key=secret', 'retry-after': '1' })
    expect(refusal(status, { body, headers, redact: (text: string) => text })).toMatchObject({
      code: 'PROVIDER_ERROR',
      message: expect.stringMatching(
        new RegExp(`answered with a redirect \\(${status}\\); check its base URL\\.$`),
      ),
      retryable: false,
      refused: 'request',
      refusal: undefined,
      retryAfterSeconds: undefined,
    })
  })

  it.each([408, 429, 500, 501, 503, 529])('is of neither where its status is %i', status => {
    expect(refusal(status).refused).toBeUndefined()
  })

  it.each([408, 409, 500, 503, 529])('is final where a %i says x-should-retry: false', status => {
    const headers = new Headers({ 'x-should-retry': 'false', 'retry-after': '2' })
    expect(refusal(status, { headers })).toMatchObject({
      retryable: false,
      unwell: true,
      retryAfterSeconds: undefined,
    })
    expect(refusal(status, { headers: new Headers({ 'x-should-retry': 'true' }) }).retryable).toBe(true)
  })

  it('is no failure of the upstream where it is final anyway, and a pause where it is busy', () => {
    const headers = new Headers({ 'x-should-retry': 'false', 'retry-after': '2' })
    expect(refusal(501, { headers })).toMatchObject({ retryable: false, unwell: false })
    expect(refusal(429, { headers })).toMatchObject({ retryable: true, retryAfterSeconds: 2 })
  })

  it('is final where a quota is used up, though its status says busy', () => {
    const body = { error: { code: 'insufficient_quota' } }
    expect(refusal(429, { body, headers: new Headers({ 'retry-after': '2' }) })).toMatchObject({
      code: 'PROVIDER_ERROR',
      retryable: false,
      retryAfterSeconds: undefined,
    })
  })

  it.each([429, 503])('says when to come back where a %i does', status => {
    const headers = new Headers({ 'retry-after': '9999' })
    expect(refusal(status, { headers }).retryAfterSeconds).toBe(9_999)
  })
})

describe('a connection that does not come in time', () => {
  it('is a timeout that says so', () => {
    const late = Object.assign(new Error('late'), { code: 'UND_ERR_CONNECT_TIMEOUT' })
    expect(connectionError('fake', new AbortController().signal, late)).toMatchObject({
      code: 'TIMEOUT',
      waitedFor: 'connection',
      message: expect.stringContaining("Couldn't connect"),
    })
  })
})

const WORDS = { message: 'Bad tools of sk-test', type: 'invalid_request_error', param: 'tools', code: 'odd' }
const REFUSAL = { ...WORDS, message: 'Bad tools of […]', status: 400 }
const sse = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`

describe.each<[ProviderDefinition, WireFormat]>([
  [openai, 'openai-chat'],
  [anthropic, 'anthropic-messages'],
  [openai, 'openai-responses'],
])('an error of $id in a successful response to a request of the form %s', (definition, format) => {
  const ask = (body: string, type: string) => {
    const provider = definition.create(
      providerDeps({
        redact: text => text.replaceAll('sk-test', '[…]'),
        post: answering(200, type, [Buffer.from(body)]),
      }),
    )
    const json = '{"model":"m"}'
    const raw = { format, json, members: membersOf(json) }
    const stream = type !== 'application/json'
    return provider.ask(
      newCall({ stream, raw }),
      { provider: definition.id, model: 'm', name: 'm' },
      newAttempt(),
    )
  }

  it.each([
    ['as a body', JSON.stringify({ error: WORDS }), 'application/json'],
    ['in Google’s list', JSON.stringify([{ error: WORDS }]), 'application/json'],
    ['as an event', sse({ type: 'error', error: WORDS }), 'text/event-stream'],
    ['as an event of that name', `event: error\n${sse({ error: WORDS })}`, 'text/event-stream'],
  ])('keeps its words as one over HTTP does, secrets masked: %s', async (_, body, type) => {
    if (format === 'openai-responses' && body.startsWith('[')) return
    await expect(ask(body, type)).rejects.toMatchObject({ code: 'INVALID_INPUT', refusal: REFUSAL })
  })

  it('keeps nothing of an error of the gateway’s own access', async () => {
    const body = JSON.stringify({ error: { ...WORDS, code: 'invalid_api_key', status: 400 } })
    await expect(ask(body, 'application/json')).rejects.toMatchObject({
      code: 'PROVIDER_ERROR',
      refusal: undefined,
    })
  })
})

describe('an error of the Responses API', () => {
  it.each([
    ['event', { ...WORDS, type: 'error', sequence_number: 1 }],
    ['failed response', { type: 'response.failed', response: { status: 'failed', error: WORDS } }],
  ])('keeps its words where it is an %s in a stream', (kind, event) => {
    const read = responseEvents({ provider: 'openai', redact: text => text })
    const { error } = read({ event: event.type, data: JSON.stringify(event) })
    const type = kind === 'event' ? undefined : WORDS.type
    expect(error?.refusal).toEqual({ ...WORDS, type, status: 400 })
  })
})

describe('an error without a status', () => {
  const redact = (text: string) => text

  it.each([
    ['model_not_found', 404, 'NOT_FOUND'],
    ['context_length_exceeded', 400, 'CONTEXT_LENGTH'],
  ])('%s has that of its meaning: %i', (code, status, ours) => {
    const body = { error: { message: 'No.', code } }
    expect(upstreamError({ provider: 'fake', body, redact })).toMatchObject({
      code: ours,
      refusal: { message: 'No.', code, status },
    })
    expect(upstreamError({ provider: 'fake', status, body, redact }).refusal).toMatchObject({ code, status })
  })
})

describe('a refusal in another form than OpenAI’s and Anthropic’s', () => {
  const redact = (text: string) => text.replaceAll('sk-test', '[…]')
  const refused = (status: number, body: unknown) =>
    upstreamError({
      provider: 'fake',
      status,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      redact,
    }).refusal
  const detail = [{ loc: ['body', 'messages'], msg: 'Field required', type: 'missing' }]

  it.each<[string, number, unknown, object]>([
    ['a list of details', 422, { detail }, { message: 'Field required', param: 'messages' }],
    [
      'details below its message',
      400,
      { message: { detail } },
      { message: 'Field required', param: 'messages' },
    ],
    [
      'a sentence',
      400,
      { error: 'model requires more memory' },
      { message: 'model requires more memory', param: undefined },
    ],
    ['plain text', 413, 'Too much of sk-test.', { message: 'Too much of […].' }],
    ['a numeric code', 400, { error: { message: 'No.', code: 3051 } }, { message: 'No.', code: '3051' }],
    ['no words', 422, '', { message: "fake doesn't accept this request for this model." }],
    ['an object without words', 418, { a: 1 }, { message: 'fake returned an error (status 418).' }],
  ])('keeps its status and words, secrets masked: %s', (_, status, body, expected) => {
    expect(refused(status, body)).toMatchObject({ status, ...expected })
  })

  it('is bounded, and masks a secret where it is cut', () => {
    const message = refused(400, `${'a '.repeat(1_997)}sk-test-and-more`)?.message ?? ''
    expect(message.length).toBeLessThanOrEqual(1_000)
    expect(refused(400, `${'https://a.example/?a '.repeat(200)}sk-test`)?.message).not.toContain('sk-')
  })
})

describe('a refusal of the gateway’s own key, account or rate', () => {
  it.each(['API key not valid', 'Your credit balance is too low'])(
    'keeps its words from clients, whatever its status: %s',
    message => {
      const { code, refusal } = upstreamError({
        provider: 'fake',
        status: 400,
        body: { error: { message } },
        redact: text => text,
      })
      expect([code, refusal]).toEqual(['PROVIDER_ERROR', undefined])
    },
  )
})
