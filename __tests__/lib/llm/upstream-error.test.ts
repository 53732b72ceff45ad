import { describe, expect, it } from 'vitest'
import { connectionError, upstreamError } from '#lib/llm/providers/shared/upstream-error.ts'

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
