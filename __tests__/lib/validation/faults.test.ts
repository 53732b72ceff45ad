import { describe, expect, it } from 'vitest'
import { invalidInput } from '#lib/validation/zod.ts'

describe('a refusal of what was sent', () => {
  it('ends in one full stop, also where a fault has one of its own', () => {
    const error = invalidInput([
      { path: 'a', message: 'is odd.' },
      { path: 'b', message: 'is required' },
      { path: 'c', message: 'is odd.' },
    ])
    expect(error.message).toBe('a is odd; b is required; c is odd.')
  })
})
