import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { newAttempt, newCall, TARGET } from '../../support/calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { answering } from '../../support/wire-fixtures.ts'

const EVENTS = 'text/event-stream'
const JSON_TYPE = 'application/json'

/** What comes of a body that ends where its Content-Length says. */
const errorOf = async (type: string, body: string, stream: boolean): Promise<GatewayError> => {
  const bytes = Buffer.from(body)
  const post = answering(200, type, bytes.length > 0 ? [bytes] : [], {
    'content-length': String(bytes.length),
  })
  const asked = openai.create(providerDeps({ post })).ask(newCall({ stream }), TARGET, newAttempt())
  const error = await asked.catch((thrown: unknown) => thrown)
  if (!(error instanceof GatewayError)) throw new Error('There is no error.')
  return error
}

describe.each([true, false])('a body of declared length, for a call with stream: %s', stream => {
  it.each([EVENTS, JSON_TYPE])('may come another time where it is empty, as %s', async type => {
    for (const body of ['', '\n\n']) {
      const error = await errorOf(type, body, stream)
      expect(error).toMatchObject({ code: 'PROVIDER_ERROR', retryable: true })
      expect(error.message).not.toContain('Content-Length')
    }
  })

  it('is of the wrong length where it is truncated', async () => {
    const bodies = ['{"choices":[{"message":{"content":"Hi', '{"choices":[', '{"a":"}"', '{"a":"\\"}']
    for (const body of bodies)
      expect(await errorOf(JSON_TYPE, body, stream), body).toMatchObject({
        retryable: false,
        message: expect.stringContaining('Content-Length'),
      })
    expect(await errorOf(EVENTS, 'data: {"choices":[', stream)).toMatchObject({
      retryable: false,
      message: expect.stringContaining('Content-Length'),
    })
  })

  it('is not of the wrong length where something follows its JSON, or that is none', async () => {
    for (const body of ['{"choices":[]}<p>', '{"choices":[]}{}', '{"choices":}', '{"a":"}"}]'])
      expect((await errorOf(JSON_TYPE, body, stream)).message, body).not.toContain('Content-Length')
  })
})
