import { describe, expect, it } from 'vitest'
import { retryAfterSeconds } from '#lib/llm/providers/shared/rate-headers.ts'
import { upstreamError } from '#lib/llm/providers/shared/upstream-error.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const read = (headers: Record<string, string>) => retryAfterSeconds(new Headers(headers), NOW)

describe('retryAfterSeconds', () => {
  it.each<[Record<string, string>, number | undefined]>([
    [{ 'retry-after': '2' }, 2],
    [{ 'retry-after': '0' }, 1],
    [{ 'retry-after': '1.2' }, 2],
    [{ 'retry-after': '9999' }, 9_999],
    [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' }, 30],
    [{ 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, undefined],
    [{ 'retry-after-ms': '1500' }, 2],
    [{ 'retry-after-ms': '1500', 'retry-after': '60' }, 2],
    [{ 'retry-after-ms': 'x', 'retry-after': '60' }, 60],
    [{ 'retry-after': '9'.repeat(30) }, 31_536_000],
    [{ 'retry-after': 'Wed, 21 Nov 2096 12:00:00 GMT' }, 31_536_000],
    [{ 'retry-after-ms': 'Infinity' }, undefined],
    [{ 'retry-after': '-1' }, undefined],
    [{ 'retry-after': 'abc' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{}, undefined],
  ])('reads %o as %s', (headers, expected) => expect(read(headers)).toBe(expected))
})

describe('when a rate limit ends', () => {
  const ofBody = (body: unknown, headers: Record<string, string> = {}) =>
    upstreamError({ provider: 'fake', body, headers: new Headers(headers), nowMs: NOW })

  it.each<[unknown, number | undefined]>([
    [[{ error: { status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '34s' }] } }], 34],
    [{ error: { status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '0.5s' }] } }, 1],
    [{ error: { status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: 'soon' }] } }, undefined],
    [{ error: { code: 'rate_limit_exceeded', message: 'Please try again in 7.66s.' } }, 8],
    [{ error: { code: 'rate_limit_exceeded', message: 'Please try again in 6ms.' } }, 1],
    [{ error: { code: 'rate_limit_exceeded', message: 'Please try again in 1m30.5s.' } }, 91],
    [{ error: { code: '429', message: 'Please retry after 7 seconds.' } }, 7],
    [{ error: { code: 'RateLimitReached', message: 'Please wait 43 seconds before retrying.' } }, 43],
    [
      { error: { status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: `${'9'.repeat(400)}s` }] } },
      undefined,
    ],
    [{ error: { code: '429', message: `Please try again in ${'9'.repeat(30)}h.` } }, 31_536_000],
    [{ error: { code: 'rate_limit_exceeded', message: 'Please try again later.' } }, undefined],
    [{ error: { code: 'rate_limit_exceeded', message: 'Retry in -1 seconds.' } }, undefined],
  ])('is read from the error where no header says it (number 9): %j', (body, expected) => {
    expect(ofBody(body)).toMatchObject({ code: 'PROVIDER_RATE_LIMIT', retryAfterSeconds: expected })
  })

  it.each<[Record<string, string>, number | undefined]>([
    [{ 'retry-after-ms': '300' }, 300],
    [{ 'retry-after-ms': '1500', 'retry-after': '60' }, 1_500],
    [{ 'retry-after-ms': 'x', 'retry-after': '60' }, 60_000],
    [{ 'retry-after-ms': '-1' }, undefined],
    [{ 'retry-after-ms': '9'.repeat(30) }, 31_536_000_000],
    [{}, undefined],
  ])('is known to the millisecond where the headers say so: %o', (headers, expected) => {
    expect(ofBody({ error: { code: 'rate_limit_exceeded' } }, headers).retryAfterMs).toBe(expected)
  })

  it('is what the header says where both do', () => {
    const body = { error: { code: 'rate_limit_exceeded', message: 'Please try again in 7s.' } }
    expect(ofBody(body, { 'retry-after': '2' }).retryAfterSeconds).toBe(2)
  })

  it.each<[Record<string, string>, number | undefined]>([
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' }, 360],
    [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '7.66s' }, 8],
    [
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '2s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '9s',
      },
      9,
    ],
    [
      {
        'anthropic-ratelimit-tokens-remaining': '0',
        'anthropic-ratelimit-tokens-reset': '2026-11-21T12:00:30Z',
      },
      30,
    ],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': String(NOW / 1000 + 60) }, 60],
    [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': String(NOW + 90_000) }, 90],
    [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '9'.repeat(40) }, 31_536_000],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': 'never' }, undefined],
    [{ 'x-ratelimit-remaining-requests': '5', 'x-ratelimit-reset-requests': '60s' }, undefined],
  ])('is the reset of what is used up where nothing else says it (number 9): %j', (headers, expected) => {
    const failure = upstreamError({
      provider: 'fake',
      status: 429,
      headers: new Headers(headers),
      nowMs: NOW,
    })
    expect(failure.retryAfterSeconds).toBe(expected)
  })
})
