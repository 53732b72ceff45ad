import { describe, expect, it } from 'vitest'
import { ERRORS, type ErrorCode, GatewayError } from '#lib/errors.ts'
import { errorResponse } from '#lib/http/error-response.ts'

const CODES = Object.keys(ERRORS) as ErrorCode[]
const WAITING = [
  new GatewayError('CONFLICT', undefined, { retryAfterSeconds: 1 }),
  new GatewayError('PROVIDER_RATE_LIMIT', undefined, { retryAfterSeconds: 36 }),
]
const OPENAI_PATHS = [
  '/v1',
  '/v1/',
  '/v1/models',
  '/v1/*',
  '/v1?a=b',
  '//v1/models',
  'http://localhost/v1/x',
  'HTTP://h//v1',
]
const OUR_PATHS = [
  '',
  '*',
  '/',
  '/api/chat',
  '/api/v1/x',
  '/v10',
  '/v1x',
  '/x/v1',
  'http://v1/api',
  'localhost:1',
]

describe('the form of an error', () => {
  it.each(CODES)('is that of OpenAI under /v1, and ours elsewhere: %s', code => {
    const error = new GatewayError(code)
    for (const path of OPENAI_PATHS)
      expect(errorResponse(error, 'id', path).json, path).toEqual({
        error: {
          message: error.message,
          type: error.status < 500 ? 'invalid_request_error' : 'api_error',
          param: null,
          code: expect.stringMatching(/^[a-z_]+$/),
        },
      })
    for (const path of OUR_PATHS)
      expect(errorResponse(error, 'id', path).json, path).toMatchObject({ error: { code, requestId: 'id' } })
  })

  it('is that of Anthropic for its clients where both vendors’ read models, and nowhere else', () => {
    const error = new GatewayError('INVALID_INPUT', 'There is no model.', { unknownModel: true })
    for (const path of ['/v1/models', '/v1/models/x', '/v1/models/*', '//v1/models?limit=1'])
      expect(errorResponse(error, 'id', path, true), path).toMatchObject({
        status: 404,
        json: { type: 'error', error: { type: 'not_found_error', message: 'There is no model.' } },
      })
    for (const path of ['/v1/chat/completions', '/v1/modelsx', '/api/models'])
      expect(errorResponse(error, 'id', path, true), path).toEqual(errorResponse(error, 'id', path))
  })

  it.each<[ErrorCode, string]>([
    ['CONTEXT_LENGTH', 'context_length_exceeded'],
    ['UNAUTHENTICATED', 'invalid_api_key'],
    ['RATE_LIMITED', 'rate_limit_exceeded'],
    ['QUOTA_EXCEEDED', 'insufficient_quota'],
    ['CONTENT_BLOCKED', 'content_filter'],
    ['PROVIDER_RATE_LIMIT', 'provider_rate_limit'],
    ['PAYLOAD_TOO_LARGE', 'payload_too_large'],
    ['SHUTTING_DOWN', 'shutting_down'],
  ])('has the code that clients of OpenAI know under /v1: %s is %s', (code, theirs) => {
    expect(errorResponse(new GatewayError(code), 'id', '/v1/models').json).toMatchObject({
      error: { code: theirs },
    })
  })

  it('has the same status and Retry-After under /v1 as elsewhere, but for blocked content', () => {
    for (const code of CODES) {
      const [theirs, ours] = ['/v1/x', '/api/x'].map(path =>
        errorResponse(new GatewayError(code), 'id', path),
      )
      expect(theirs?.status).toBe(code === 'CONTENT_BLOCKED' ? 400 : ours?.status)
      expect(theirs?.headers?.['retry-after']).toBe(ours?.headers?.['retry-after'])
    }
  })

  it('says under /v1 also in milliseconds when to retry, wherever it says so at all', () => {
    for (const error of [...CODES.map(code => new GatewayError(code)), ...WAITING]) {
      for (const path of ['/v1/chat/completions', '/v1/messages']) {
        const { headers = {} } = errorResponse(error, 'id', path)
        const seconds = headers['retry-after']
        expect(headers['retry-after-ms']).toBe(seconds === undefined ? undefined : `${seconds}000`)
      }
      expect(errorResponse(error, 'id', '/api/chat').headers).not.toHaveProperty('retry-after-ms')
    }
    const [, busy] = WAITING
    expect(busy && errorResponse(busy, 'id', '/v1/x').headers).toMatchObject({ 'retry-after-ms': '36000' })
  })

  it.each(['/v1/chat/completions', '/v1/messages', '/api/chat'])(
    'says at %s when to retry only where that may succeed, but for a spent quota',
    path => {
      const told = (code: ErrorCode, retryable: boolean) =>
        errorResponse(new GatewayError(code, undefined, { retryable, retryAfterSeconds: 10 }), 'id', path)
      const final = told('PROVIDER_ERROR', false)
      expect(final.headers).not.toHaveProperty('retry-after')
      expect(final.headers).not.toHaveProperty('retry-after-ms')
      expect(JSON.stringify(final.json)).not.toContain('retryAfterSeconds')
      expect(told('PROVIDER_ERROR', true).headers).toMatchObject({ 'retry-after': '10' })
      expect(told('QUOTA_EXCEEDED', false).headers).toMatchObject({ 'retry-after': '10' })
    },
  )

  it('tells clients under /v1 not to repeat what cannot succeed', () => {
    for (const code of CODES) {
      const error = new GatewayError(code)
      const { headers } = errorResponse(error, 'id', '/v1/x')
      expect(headers?.['x-should-retry'], code).toBe(error.retryable ? undefined : 'false')
    }
  })

  it('calls an unknown model 404 model_not_found under /v1, and 400 elsewhere', () => {
    const error = new GatewayError('INVALID_INPUT', 'There is no model “x”.', {
      unknownModel: true,
      details: [{ path: 'model', message: 'x' }],
    })
    const { status, json } = errorResponse(error, 'id', '/v1/chat/completions')
    expect(status).toBe(404)
    expect(json).toMatchObject({ error: { code: 'model_not_found', param: 'model' } })
    expect(errorResponse(error, 'id', '/api/chat').status).toBe(400)
  })

  it('repeats an upstream’s refusal under /v1 with its status and in its words', () => {
    const refusal = {
      status: 422,
      message: 'bad seed',
      type: 'invalid_request_error',
      param: 'seed',
      code: 'bad',
    }
    const error = new GatewayError('INVALID_INPUT', undefined, { refusal })
    const { status, json } = errorResponse(error, 'id', '/v1/chat/completions')
    expect(status).toBe(422)
    const { status: _, ...words } = refusal
    expect(json).toEqual({ error: words })
  })
})
