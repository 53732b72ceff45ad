import { expect, it } from 'vitest'
import { slowness, slownessOf } from './machine-speed.ts'

it('tells how many times as long the median took as on a quiet machine', () => {
  expect(slownessOf([9, 0.2, 0.2])).toBe(2)
})

it.each([[[]], [[0.01, 0.02, 0.01]]])('is never below 1: %j', times => {
  expect(slownessOf(times)).toBe(1)
})

it('measures', () => {
  const now = slowness()
  expect(now).toBeGreaterThanOrEqual(1)
  expect(now).toBeLessThan(100)
})
