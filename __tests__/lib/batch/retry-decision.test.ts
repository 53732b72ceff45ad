import { describe, expect, it } from 'vitest'
import { holdsUpJob, isPoisonItem, retryDecision } from '#lib/batch/retry-decision.ts'
import type { Claim } from '#lib/batch/types.ts'
import { ERRORS, type ErrorCode, GatewayError } from '#lib/errors.ts'

const NOW = 1_800_000_000_000
const HALF_AN_HOUR_MS = 1_800_000

const claim = (changes: Partial<Claim> = {}): Claim => ({
  jobId: 'batch_1',
  index: 0,
  fence: 1,
  attempt: 1,
  lostRuns: 0,
  failures: 0,
  startedAt: NOW,
  claimedAt: NOW,
  leaseUntil: NOW + 20_000,
  owner: 'guest ada',
  request: { prompt: 'Hello', maxTokens: 10, cache: 'default', fallback: true },
  ...changes,
})

const judged = (error: GatewayError, changes: Partial<Claim> = {}, random = 0, hasAsked = true) =>
  retryDecision(error, claim(changes), { now: NOW, random: () => random, hasAsked, hasOthers: true })

/** When it is tried again, from now on; `ended` where it is not. */
const againAfter = (...args: Parameters<typeof judged>): number | 'ended' => {
  const outcome = judged(...args)
  return outcome.state === 'again' ? outcome.notBefore - NOW : 'ended'
}

const codes = Object.keys(ERRORS) as ErrorCode[]
const WAITS: readonly ErrorCode[] = ['PROVIDER_RATE_LIMIT', 'MODEL_UNAVAILABLE', 'RATE_LIMITED']
const final = codes.filter(code => !ERRORS[code].retryable)
const passing = codes.filter(
  code => ERRORS[code].retryable && code !== 'SHUTTING_DOWN' && !WAITS.includes(code),
)

describe('an item whose run failed', () => {
  it.each(final)('has failed for good with %s, and says why', code => {
    const error = new GatewayError(code, 'Never.')
    expect(judged(error)).toEqual({ state: 'failed', fault: { code, message: 'Never.', retryable: false } })
  })

  it.each(passing)('is tried three times in all for %s', code => {
    const error = new GatewayError(code, 'Not now.')
    const fault = { code, message: 'Not now.', retryable: true }
    for (const failures of [0, 1])
      expect(judged(error, { failures })).toMatchObject({ state: 'again', countsAs: 'failure', fault })
    expect(judged(error, { failures: 2 })).toEqual({ state: 'failed', fault })
  })

  it('is decided by its very failure, whatever the code usually means', () => {
    expect(againAfter(new GatewayError('PROVIDER_ERROR', 'No.', { retryable: false }))).toBe('ended')
    expect(againAfter(new GatewayError('MODEL_UNAVAILABLE', 'No.', { retryable: false }))).toBe('ended')
    expect(againAfter(new GatewayError('NOT_FOUND', 'Not yet.', { retryable: true }))).toBe(1_000)
  })

  it('has not begun where a limit of its key has no room: it waits as often as that is so', () => {
    const error = new GatewayError('RATE_LIMITED', 'Later.', { retryAfterSeconds: 40 })
    expect(judged(error, { failures: 2 }, 0, false)).toMatchObject({
      state: 'again',
      countsAs: 'nothing',
      notBefore: NOW + 40_000,
    })
  })

  it.each([
    [0, 0, 1_000],
    [0, 0.999, 2_998],
    [1, 0, 1_000],
    [1, 0.999, 4_996],
  ])('after %i failures waits, for the random number %d, %i ms', (failures, random, waitMs) => {
    expect(againAfter(new GatewayError('NETWORK'), { failures }, random)).toBe(waitMs)
  })

  it('waits for the upstream’s Retry-After, where that is longer', () => {
    const sent = (retryAfterSeconds: number) =>
      new GatewayError('PROVIDER_ERROR', 'Later.', { retryAfterSeconds })
    expect(againAfter(sent(90))).toBe(90_000)
    expect(againAfter(sent(1), {}, 0.999)).toBe(2_998)
  })
})

describe('an item whose provider was busy', () => {
  it.each(WAITS)('waits, and has not failed, however often that was %s', code => {
    for (const failures of [0, 1, 2]) {
      const outcome = judged(new GatewayError(code, 'Busy.'), { failures, attempt: 100 })
      expect(outcome).toEqual({
        state: 'again',
        notBefore: NOW + 1_000,
        countsAs: 'attempt',
        fault: { code, message: 'Busy.', retryable: true },
      })
    }
  })

  it.each(WAITS)('waits for the upstream’s Retry-After with %s', code => {
    const error = new GatewayError(code, 'Busy.', { retryAfterSeconds: 45 })
    expect(againAfter(error, { failures: 2 }, 0.999)).toBe(45_000)
  })

  it('waits a little, by chance, without a Retry-After', () => {
    const error = new GatewayError('PROVIDER_RATE_LIMIT')
    expect([againAfter(error, {}, 0), againAfter(error, {}, 0.999)]).toEqual([1_000, 2_998])
  })
})

describe('an item for which no provider was asked', () => {
  it.each(WAITS)('has not begun, and so does not fail, however long it waits: %s', code => {
    const error = new GatewayError(code, 'Busy.', { retryAfterSeconds: 7_200 })
    expect(judged(error, {}, 0, false)).toMatchObject({
      state: 'again',
      notBefore: NOW + 7_200_000,
      countsAs: 'nothing',
    })
  })

  it('fails half an hour after it began all the same, where a provider was asked before', () => {
    const error = new GatewayError('MODEL_UNAVAILABLE')
    const began = { startedAt: NOW - HALF_AN_HOUR_MS }
    expect(judged(error, began, 0, false)).toMatchObject({ state: 'failed' })
    expect(judged(error, { startedAt: NOW - 1 }, 0, false)).toMatchObject({ countsAs: 'nothing' })
  })

  it('has failed for any other reason', () => {
    expect(judged(new GatewayError('INTERNAL_ERROR'), {}, 0, false)).toMatchObject({ countsAs: 'failure' })
  })
})

describe('an item whose model is unknown in the process that runs it', () => {
  const unknown = new GatewayError('INVALID_INPUT', 'There is no such model.', { unknownModel: true })

  it.each([true, false])(
    'waits, as another process may know it; providers were asked before: %s',
    hasAsked => {
      expect(judged(unknown, { failures: 2 }, 0, hasAsked)).toEqual({
        state: 'again',
        notBefore: NOW + 1_000,
        countsAs: 'attempt',
        fault: { code: 'INVALID_INPUT', message: 'There is no such model.', retryable: false },
        isItemsOwn: true,
      })
    },
  )

  it('waits longer each time, up to about a minute', () => {
    const waits = [1, 2, 5, 500].map(attempt => againAfter(unknown, { attempt }, 0.5, false))
    expect(waits).toEqual([3_000, 5_000, 33_000, 33_000])
  })

  it('fails half an hour after it began', () => {
    const began = (agoMs: number) => ({ startedAt: NOW - agoMs })
    expect(againAfter(unknown, began(HALF_AN_HOUR_MS - 1_000), 0, false)).toBe(1_000)
    expect(againAfter(unknown, began(HALF_AN_HOUR_MS - 999), 0, false)).toBe('ended')
  })

  it('does not hold up the other items of its job, as one does whose provider is busy', () => {
    expect(holdsUpJob(judged(unknown, {}, 0, false))).toBe(false)
    expect(holdsUpJob(judged(new GatewayError('PROVIDER_RATE_LIMIT'), {}, 0, true))).toBe(true)
    expect(holdsUpJob(judged(new GatewayError('NETWORK'), {}, 0, true))).toBe(false)
  })

  it('fails at once where it was unknown as well to the process that accepted the item', () => {
    const request = { url: '/v1/messages', model: 'nope', json: '{}' } as const
    expect(againAfter(unknown, { request }, 0, false)).toBe(1_000)
    expect(againAfter(unknown, { request: { ...request, isModelUnknown: true } }, 0, false)).toBe('ended')
  })

  it('fails at once where no other process runs items', () => {
    const alone = { now: NOW, random: () => 0, hasAsked: false, hasOthers: false }
    expect(retryDecision(unknown, claim(), alone)).toMatchObject({ state: 'failed' })
    expect(retryDecision(new GatewayError('NETWORK'), claim(), alone)).toMatchObject({ state: 'again' })
  })

  it('fails at once where its key may not use the model', () => {
    const refused = new GatewayError('FORBIDDEN', 'Not allowed.', { unknownModel: true })
    expect(againAfter(refused, {}, 0, false)).toBe('ended')
  })
})

describe('an item that began half an hour ago', () => {
  const began = (agoMs: number) => ({ startedAt: NOW - agoMs })

  it.each([...WAITS, 'NETWORK'] as const)('fails at %s, but not before', code => {
    const error = new GatewayError(code)
    expect(againAfter(error, began(HALF_AN_HOUR_MS - 1_000))).toBe(1_000)
    expect(judged(error, began(HALF_AN_HOUR_MS - 999))).toMatchObject({ state: 'failed', fault: { code } })
  })

  it('would be then, when it may be tried again, and so fails now', () => {
    const sent = (retryAfterSeconds: number) =>
      new GatewayError('PROVIDER_RATE_LIMIT', 'Busy.', { retryAfterSeconds })
    expect(againAfter(sent(1_800))).toBe(HALF_AN_HOUR_MS)
    expect(againAfter(sent(1_801))).toBe('ended')
  })

  it('is begun again nevertheless where only the gateway stops', () => {
    expect(againAfter(new GatewayError('SHUTTING_DOWN'), began(10 * HALF_AN_HOUR_MS))).toBe(0)
  })
})

describe('an item whose gateway stops', () => {
  it('is tried again at once by another one, and has not failed', () => {
    for (const failures of [0, 1, 2])
      expect(judged(new GatewayError('SHUTTING_DOWN'), { failures, attempt: 100 }, 0.999)).toMatchObject({
        state: 'again',
        notBefore: NOW,
        countsAs: 'attempt',
        fault: { code: 'SHUTTING_DOWN' },
      })
  })
})

describe('an item that was cut off', () => {
  it('is begun 25 times, and not once more', () => {
    expect(isPoisonItem(claim({ attempt: 90, lostRuns: 24 }))).toBe(false)
    expect(isPoisonItem(claim({ attempt: 25, lostRuns: 25 }))).toBe(true)
  })

  it('is no other one, however often that was begun only to wait', () => {
    expect(isPoisonItem(claim({ attempt: 500 }))).toBe(false)
  })
})
