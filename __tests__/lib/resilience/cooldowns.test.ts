import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { Cooldowns } from '#lib/resilience/per-target.ts'
import { TARGET } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const OTHER = { ...TARGET, model: 'other' }

const setting = () => {
  const clock = new FakeClock()
  return { clock, cooling: new Cooldowns({ longestMs: 300_000, refusedMs: 10_000, clock }) }
}

const busy = (retryAfterSeconds?: number) =>
  new GatewayError('PROVIDER_RATE_LIMIT', 'busy', retryAfterSeconds ? { retryAfterSeconds } : {})

describe('a target that is busy', () => {
  it('is not called for as long as it says, and the time that remains is reported', async () => {
    const { clock, cooling } = setting()
    cooling.failed(TARGET, busy(20))
    await clock.advance(5_500)
    expect(cooling.cooldownError(TARGET)).toMatchObject({
      code: 'PROVIDER_RATE_LIMIT',
      message: 'busy',
      retryAfterSeconds: 15,
      retryable: true,
    })
    await clock.advance(14_500)
    expect(cooling.cooldownError(TARGET)).toBeUndefined()
  })

  it('is called again after as many milliseconds as it says', async () => {
    const { clock, cooling } = setting()
    cooling.failed(
      TARGET,
      new GatewayError('PROVIDER_RATE_LIMIT', 'busy', { retryAfterSeconds: 1, retryAfterMs: 300 }),
    )
    await clock.advance(299)
    expect(cooling.cooldownError(TARGET)).toMatchObject({ retryAfterSeconds: 1 })
    await clock.advance(1)
    expect(cooling.cooldownError(TARGET)).toBeUndefined()
  })

  it('does not keep another one from being asked', () => {
    const { cooling } = setting()
    cooling.failed(TARGET, busy(20))
    expect(cooling.cooldownError(OTHER)).toBeUndefined()
  })

  it('is in cooldown for five minutes at most', async () => {
    const { clock, cooling } = setting()
    cooling.failed(TARGET, busy(9_999))
    expect(cooling.cooldownError(TARGET)?.retryAfterSeconds).toBe(300)
    await clock.advance(300_000)
    expect(cooling.cooldownError(TARGET)).toBeUndefined()
  })

  it('is asked again at once where it does not say for how long', () => {
    const { cooling } = setting()
    cooling.failed(TARGET, busy())
    expect(cooling.cooldownError(TARGET)).toBeUndefined()
  })

  it('is asked again once a later call was answered, but not for an earlier one', async () => {
    const { clock, cooling } = setting()
    const earlier = clock.now()
    await clock.advance(1)
    cooling.failed(TARGET, busy(20))
    cooling.succeeded(TARGET, earlier)
    expect(cooling.cooldownError(TARGET)).toBeDefined()
    await clock.advance(1)
    cooling.succeeded(TARGET, clock.now())
    expect(cooling.cooldownError(TARGET)).toBeUndefined()
  })
})

describe('a target that refuses our access', () => {
  it('is in cooldown for ten seconds, with its own failure for an answer', async () => {
    const { clock, cooling } = setting()
    cooling.failed(
      TARGET,
      new GatewayError('PROVIDER_ERROR', 'refused', { retryable: false, refused: 'access' }),
    )
    expect(cooling.cooldownError(TARGET)).toMatchObject({ code: 'PROVIDER_ERROR', retryable: false })
    await clock.advance(10_000)
    expect(cooling.cooldownError(TARGET)).toBeUndefined()
  })
})

describe('a target that fails otherwise', () => {
  it.each(['request', undefined] as const)(
    'is not in cooldown after a final error (refused: %s)',
    refused => {
      const { cooling } = setting()
      cooling.failed(
        TARGET,
        new GatewayError('PROVIDER_ERROR', 'final', { retryable: false, ...(refused && { refused }) }),
      )
      expect(cooling.cooldownError(TARGET)).toBeUndefined()
    },
  )

  it.each(['PROVIDER_ERROR', 'NETWORK', 'TIMEOUT', 'INVALID_INPUT', 'CLIENT_GONE'] as const)(
    'is not in cooldown after %s',
    code => {
      const { cooling } = setting()
      cooling.failed(TARGET, new GatewayError(code))
      expect(cooling.cooldownError(TARGET)).toBeUndefined()
    },
  )
})
