import { describe, expect, it } from 'vitest'
import { rateHeadroomOf } from '#lib/llm/providers/shared/rate-headers.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const read = (headers: Record<string, string>) => {
  const found = rateHeadroomOf(new Headers(headers), NOW)
  return found && { share: found.share, resetsInMs: found.resetAt - NOW }
}

const requests = (limit: string, remaining: string, reset: string) => ({
  'x-ratelimit-limit-requests': limit,
  'x-ratelimit-remaining-requests': remaining,
  'x-ratelimit-reset-requests': reset,
})
const tokens = (limit: string, remaining: string, reset: string) => ({
  'x-ratelimit-limit-tokens': limit,
  'x-ratelimit-remaining-tokens': remaining,
  'x-ratelimit-reset-tokens': reset,
})

describe('what an upstream says is left of its limits', () => {
  it('is a share, and when it is full again: as OpenAI and Groq say it', () => {
    expect(read(requests('5000', '4000', '12ms'))).toEqual({ share: 0.8, resetsInMs: 12 })
    expect(read(tokens('200', '50', '6m0s'))).toEqual({ share: 0.25, resetsInMs: 360_000 })
  })

  it('is that too as Anthropic says it', () => {
    for (const kind of ['requests', 'tokens'])
      expect(
        read({
          [`anthropic-ratelimit-${kind}-limit`]: '1000',
          [`anthropic-ratelimit-${kind}-remaining`]: '10',
          [`anthropic-ratelimit-${kind}-reset`]: '2026-11-21T12:00:30Z',
        }),
      ).toEqual({ share: 0.01, resetsInMs: 30_000 })
  })

  it.each([
    ['120ms', 120],
    ['1s', 1_000],
    ['7.66s', 7_660],
    ['2m59.56s', 179_560],
    ['1h30m0s', 5_400_000],
    ['1d', 86_400_000],
    ['1m5ms', 60_005],
    ['0s', 0],
    ['0', 0],
    ['60', 60_000],
    ['0.5', 500],
    ['2026-11-21T12:00:00Z', 0],
    ['2026-11-21T13:00:00+00:00', 3_600_000],
  ])('is full again after %s', (reset, resetsInMs) => {
    expect(read(requests('10', '5', reset))?.resetsInMs).toBeCloseTo(resetsInMs, 3)
  })

  it('is of requests or of tokens, whichever has less left', () => {
    const few = { share: 0.1, resetsInMs: 5_000 }
    expect(read({ ...requests('10', '1', '5s'), ...tokens('10', '9', '9s') })).toEqual(few)
    expect(read({ ...requests('10', '9', '9s'), ...tokens('10', '1', '5s') })).toEqual(few)
  })

  it('may be nothing, or everything', () => {
    expect(read(requests('10', '0', '1s'))).toEqual({ share: 0, resetsInMs: 1_000 })
    expect(read(requests('10', '10', '0s'))).toEqual({ share: 1, resetsInMs: 0 })
  })

  it('is of the one kind where the other one is malformed', () => {
    expect(read({ ...requests('many', '0', '1s'), ...tokens('10', '9', '9s') })?.share).toBe(0.9)
  })

  it.each<[string, Record<string, string>]>([
    ['nothing is said', {}],
    ['no limit is said', { ...requests('', '5', '1s') }],
    ['nothing is said of what is left', { ...requests('10', '', '1s') }],
    ['no end is said', { ...requests('10', '5', '') }],
    ['the limit is nothing', requests('0', '0', '1s')],
    ['the limit is no number', requests('ten', '5', '1s')],
    ['more is left than there is', requests('10', '11', '1s')],
    ['less than nothing is left', requests('10', '-1', '1s')],
    ['the limit is below nothing', requests('-10', '5', '1s')],
    ['the end has passed', requests('10', '5', '2026-11-21T11:59:59Z')],
    ['the end is no time', requests('10', '5', 'soon')],
    ['the end is a unit alone', requests('10', '5', 's')],
    ['the end is half a time', requests('10', '5', '6m later')],
  ])('is unknown where %s', (_, headers) => {
    expect(read(headers)).toBeUndefined()
  })
})
