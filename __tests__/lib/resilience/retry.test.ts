import { describe, expect, it } from 'vitest'
import { type ErrorCode, GatewayError } from '#lib/errors.ts'
import type { Call, Reply, Target } from '#lib/llm/types.ts'
import { beginAttempt } from '#lib/request-context.ts'
import { type Retries, retry, retryBudgets } from '#lib/resilience/retry.ts'
import { batches, newCall, replyOf, TARGET, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const OTHER: Target = { provider: 'fake', model: 'other', name: 'fake/other' }

const setting = (changes: Partial<Retries> = {}) => {
  const clock = new FakeClock()
  const policy = retry(
    {
      most: 2,
      backoff: { baseMs: 250, longestMs: 8_000 },
      longestRetryAfterMs: 10_000,
      clock,
      random: () => 0.999,
      ...changes,
    },
    retryBudgets(),
  )
  /** Fails with each of the errors in turn, then answers. */
  const asked = (call: Call, ...failures: readonly (ErrorCode | GatewayError)[]) => {
    const attemptsAt: number[] = []
    const startedAt = clock.now()
    const next = async (asking: Call): Promise<Reply> => {
      attemptsAt.push(clock.now() - startedAt)
      beginAttempt(asking, TARGET, clock.now())
      const failure = failures[attemptsAt.length - 1]
      if (failure === undefined) return replyOf(batches(text('ok'), [{ type: 'finish', reason: 'stop' }]))
      throw typeof failure === 'string' ? new GatewayError(failure) : failure
    }
    call.attempts.take()
    const outcome = policy(call, next).then(
      () => 'answered',
      (error: GatewayError) => error.code,
    )
    return { attemptsAt, outcome }
  }
  return { clock, asked }
}

const busy = (retryAfterSeconds: number) =>
  new GatewayError('PROVIDER_RATE_LIMIT', undefined, { retryAfterSeconds })

describe('retry', () => {
  it('asks again after a failure that may pass, waiting longer each time', async () => {
    const { clock, asked } = setting()
    const { attemptsAt, outcome } = asked(newCall(), 'PROVIDER_ERROR', 'NETWORK')
    await clock.advance(10_000)
    expect(await outcome).toBe('answered')
    expect(attemptsAt.map(at => Math.round(at / 10) * 10)).toEqual([0, 250, 750])
  })

  it('fails after two more attempts, with the last failure', async () => {
    const { clock, asked } = setting()
    const { attemptsAt, outcome } = asked(newCall(), 'NETWORK', 'NETWORK', 'PROVIDER_ERROR')
    await clock.advance(10_000)
    expect(await outcome).toBe('PROVIDER_ERROR')
    expect(attemptsAt).toHaveLength(3)
  })

  it.each<ErrorCode>([
    'INVALID_INPUT',
    'CONTEXT_LENGTH',
    'CONTENT_BLOCKED',
    'MODEL_UNAVAILABLE',
    'CLIENT_GONE',
  ])('does not repeat what failed with %s', async code => {
    const { clock, asked } = setting()
    const { attemptsAt, outcome } = asked(newCall(), code)
    await clock.advance(10_000)
    expect(await outcome).toBe(code)
    expect(attemptsAt).toHaveLength(1)
  })

  it('does not repeat what the provider refuses for good, such as a wrong key', async () => {
    const { clock, asked } = setting()
    const refused = new GatewayError('PROVIDER_ERROR', undefined, { retryable: false })
    const { attemptsAt } = asked(newCall(), refused)
    await clock.advance(10_000)
    expect(attemptsAt).toHaveLength(1)
  })

  it('waits as long as a busy provider asks for', async () => {
    const { clock, asked } = setting({ random: () => 0 })
    const { attemptsAt, outcome } = asked(newCall(), busy(2))
    await clock.advance(10_000)
    expect(await outcome).toBe('answered')
    expect(attemptsAt).toEqual([0, 2_000])
  })

  it('waits no longer than a busy provider asks for in milliseconds', async () => {
    const { clock, asked } = setting({ random: () => 0 })
    const error = new GatewayError('PROVIDER_RATE_LIMIT', undefined, {
      retryAfterSeconds: 1,
      retryAfterMs: 300,
    })
    const { attemptsAt } = asked(newCall(), error)
    await clock.advance(10_000)
    expect(attemptsAt).toEqual([0, 300])
  })

  it('does not wait for one that asks for more than ten seconds', async () => {
    const { clock, asked } = setting()
    const { attemptsAt, outcome } = asked(newCall(), busy(9_999))
    await clock.advance(60_000)
    expect(await outcome).toBe('PROVIDER_RATE_LIMIT')
    expect(attemptsAt).toHaveLength(1)
  })

  it('waits as long as one that failed asks for, and not for one that asks for too much', async () => {
    const failed = (retryAfterSeconds: number) =>
      new GatewayError('PROVIDER_ERROR', undefined, { retryAfterSeconds })
    const { clock, asked } = setting({ random: () => 0 })
    const patient = asked(newCall(), failed(10))
    const impatient = asked(newCall(), failed(11))
    await clock.advance(60_000)
    expect(patient.attemptsAt).toEqual([0, 10_000])
    expect(impatient.attemptsAt).toEqual([0])
  })

  it.each(['first content', 'whole answer'] as const)(
    'does not ask again who was silent until the %s was due',
    async waitedFor => {
      const { clock, asked } = setting()
      const { attemptsAt } = asked(newCall(), new GatewayError('TIMEOUT', undefined, { waitedFor }))
      await clock.advance(10_000)
      expect(attemptsAt).toHaveLength(1)
    },
  )

  it('asks again where no connection came in time', async () => {
    const { clock, asked } = setting()
    const unconnected = new GatewayError('TIMEOUT', undefined, { waitedFor: 'connection' })
    const { attemptsAt, outcome } = asked(newCall(), unconnected)
    await clock.advance(10_000)
    expect(await outcome).toBe('answered')
    expect(attemptsAt).toHaveLength(2)
  })

  it('does not wait for a busy one while another target follows it', async () => {
    const { clock, asked } = setting()
    const { attemptsAt } = asked(newCall({ plan: [TARGET, OTHER] }), busy(1))
    await clock.advance(10_000)
    expect(attemptsAt).toHaveLength(1)
  })

  it('leaves each target after it an attempt out of four', async () => {
    const { clock, asked } = setting()
    const plan = [TARGET, OTHER, OTHER]
    const { attemptsAt } = asked(newCall({ plan }), 'NETWORK', 'NETWORK', 'NETWORK')
    await clock.advance(10_000)
    expect(attemptsAt).toHaveLength(2)
  })

  it('does not begin what the deadline leaves no time for', async () => {
    const { clock, asked } = setting()
    const { attemptsAt, outcome } = asked(newCall({ deadlineAt: clock.now() + 300 }), 'NETWORK', 'NETWORK')
    await clock.advance(10_000)
    expect(await outcome).toBe('NETWORK')
    expect(attemptsAt).toHaveLength(2)
  })

  it('stops waiting when the client leaves', async () => {
    const { clock, asked } = setting()
    const client = new AbortController()
    const { attemptsAt, outcome } = asked(newCall({ signal: client.signal }), 'NETWORK')
    await clock.advance(100)
    client.abort(new GatewayError('CLIENT_GONE'))
    expect(await outcome).toBe('CLIENT_GONE')
    expect(attemptsAt).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('spends at most its budget while everything fails: a hundred calls get ten retries', async () => {
    const { clock, asked } = setting()
    const calls = Array.from({ length: 100 }, () => asked(newCall(), 'NETWORK', 'NETWORK', 'NETWORK'))
    await clock.advance(30_000)
    const attempts = calls.reduce((total, { attemptsAt }) => total + attemptsAt.length, 0)
    expect(attempts).toBe(110)
  })
})
