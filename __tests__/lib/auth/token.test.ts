import { describe, expect, it } from 'vitest'
import { Guesses } from '#lib/auth/guesses.ts'
import { assertToken } from '#lib/auth/token.ts'
import { GatewayError } from '#lib/errors.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const TOKEN = 'the-right-token-0123456789'

const setting = () => {
  const clock = new FakeClock()
  const guesses = new Guesses(clock)
  /** What a token that is sent from an address comes to. */
  const send = (address: string, apiKey: string | undefined) => {
    try {
      assertToken({ token: TOKEN, guesses }, { address, apiKey })
      return 'in'
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      return error.code === 'RATE_LIMITED' ? error.retryAfterSeconds : error.code
    }
  }
  const guess = (address: string, count: number) =>
    Array.from({ length: count }, (_, at) => send(address, `wrong-${at}`))
  return { clock, send, guess }
}

describe('a token', () => {
  it('can be guessed at 10 times a minute from one address, then says when to come back', async () => {
    const { clock, guess } = setting()
    expect(guess('a', 10)).toEqual(Array(10).fill('UNAUTHENTICATED'))
    await clock.advance(15_000)
    expect(guess('a', 3)).toEqual([45, 45, 45])
    await clock.advance(45_000)
    expect(guess('a', 11)).toEqual([...Array(10).fill('UNAUTHENTICATED'), 60])
  })

  it('lets in callers that have it, from any other address and as often as they like', () => {
    const { send, guess } = setting()
    for (let address = 0; address < 50; address += 1) guess(`${address}`, 20)
    for (let time = 0; time < 1_000; time += 1) expect(send('b', TOKEN)).toBe('in')
  })

  it('can be guessed at 100 times a minute from all addresses that have done so before', () => {
    const { guess } = setting()
    for (let address = 0; address < 100; address += 1)
      expect(guess(`${address}`, 1)).toEqual(['UNAUTHENTICATED'])
    for (let address = 0; address < 100; address += 1) expect(guess(`${address}`, 1)).toEqual([60])
  })

  it('is not guessed at by who sends none', () => {
    const { send } = setting()
    for (let time = 0; time < 20; time += 1) expect(send('a', undefined)).toBe('UNAUTHENTICATED')
    expect(send('a', TOKEN)).toBe('in')
  })
})

describe('the right token from an address that has guessed too often', () => {
  it('is let in', () => {
    const { send, guess } = setting()
    guess('a', 30)
    expect(send('a', TOKEN)).toBe('in')
  })
})
