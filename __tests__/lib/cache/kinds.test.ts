import { expect, it } from 'vitest'
import { ofKind } from '#lib/cache/kinds.ts'

it('keeps grades of models for an hour, with the tag of their kind, whatever the rule of their model says', () => {
  const rule = { ttlMs: 86_400_000, staleWhileRevalidateMs: 60_000, staleIfErrorMs: 5_000, tags: ['own'] }
  expect(ofKind(rule, 'evaluation')).toEqual({
    ttlMs: 3_600_000,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 5_000,
    tags: ['own', 'evaluation'],
  })
})
