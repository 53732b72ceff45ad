import { describe, expect, it } from 'vitest'
import { Cors } from '#lib/http/cross-origin.ts'
import { headerComponents } from '#lib/http/openapi/headers.ts'

const ORIGIN = 'https://app.example'
const cors = new Cors(new Set([ORIGIN]))
const namesIn = (list: string | undefined): readonly string[] => list?.split(', ') ?? []

describe('a page of an allowed origin', () => {
  it('reads every header that the API’s document names', () => {
    const exposed = namesIn(cors.headers(ORIGIN)['access-control-expose-headers'])
    expect(exposed).toEqual(expect.arrayContaining(Object.keys(headerComponents)))
    expect(exposed).toContain('x-gateway-guardrails')
    expect(new Set(exposed).size).toBe(exposed.length)
  })

  it.each(['requests', 'tokens'])('reads the limits of %s that OpenAI’s clients know', of => {
    const exposed = namesIn(cors.headers(ORIGIN)['access-control-expose-headers'])
    for (const what of ['limit', 'remaining', 'reset']) expect(exposed).toContain(`x-ratelimit-${what}-${of}`)
  })

  it.each([
    'cache-control',
    'content-encoding',
    'openai-beta',
    'openai-organization',
    'openai-project',
    'traceparent',
    'user-agent',
    'x-client-request-id',
    'x-stainless-poll-helper',
    'x-stainless-custom-poll-interval',
  ])('may send %s', name => {
    expect(namesIn(cors.preflight(ORIGIN, 'POST')['access-control-allow-headers'])).toContain(name)
    expect(cors.preflight('https://other.example', 'POST')).toEqual({})
  })
})
