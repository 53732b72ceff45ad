import { describe, expect, it } from 'vitest'
import { Watchers } from '#lib/batch/watchers.ts'

describe('those who watch', () => {
  it('are twenty of one owner at most, and more only after some have left', () => {
    const watchers = new Watchers()
    const leaving = Array.from({ length: 20 }, () => watchers.enter('ada'))
    const refused = expect.objectContaining({ code: 'RATE_LIMITED', retryAfterSeconds: 5 })
    expect(() => watchers.enter('ada')).toThrow(refused)
    const leaveAsEve = watchers.enter('eve')
    leaving[0]?.()
    leaving[0]?.()
    watchers.enter('ada')
    expect(() => watchers.enter('ada')).toThrow(refused)
    leaveAsEve()
    expect(watchers.count).toBe(20)
  })

  it('are a thousand in all at most', () => {
    const watchers = new Watchers()
    for (let owner = 0; owner < 1_000; owner += 1) watchers.enter(`guest ${owner}`)
    expect(() => watchers.enter('eve')).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }))
  })
})
