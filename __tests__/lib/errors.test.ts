import { describe, expect, it, vi } from 'vitest'
import { ERRORS, GatewayError, toGatewayError } from '#lib/errors.ts'

describe('GatewayError', () => {
  it('takes status, retryable and wording from the table', () => {
    const error = new GatewayError('RATE_LIMITED')
    expect(error).toMatchObject({ status: 429, retryable: true, message: ERRORS.RATE_LIMITED.message })
  })

  it('is known across copies of its module, as Next makes them', async () => {
    vi.resetModules()
    const copy = await import('#lib/errors.ts')
    expect(copy.GatewayError).not.toBe(GatewayError)
    const thrown = new copy.GatewayError('NOT_FOUND')
    expect(thrown).toBeInstanceOf(GatewayError)
    expect(toGatewayError(thrown)).toBe(thrown)
  })

  it('is made of anything else as a fault of ours, which keeps what it was', () => {
    const bug = new TypeError('x is not a function')
    expect(toGatewayError(bug)).toMatchObject({ code: 'INTERNAL_ERROR', cause: bug })
    expect(toGatewayError(bug).message).not.toContain('function')
    for (const odd of [null, undefined, 'text', { code: 'NOT_FOUND' }])
      expect(toGatewayError(odd).code).toBe('INTERNAL_ERROR')
  })
})
