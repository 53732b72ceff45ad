import { describe, expect, it } from 'vitest'
import { SubscriberLimit } from '#lib/batch/job-stream.ts'

describe('those who watch', () => {
  it('are twenty of one owner at most, and more only after some have left', () => {
    const subscribers = new SubscriberLimit()
    const leaving = Array.from({ length: 20 }, () => subscribers.enter('ada'))
    const refused = expect.objectContaining({ code: 'RATE_LIMITED', retryAfterSeconds: 5 })
    expect(() => subscribers.enter('ada')).toThrow(refused)
    const leaveAsEve = subscribers.enter('eve')
    leaving[0]?.()
    leaving[0]?.()
    subscribers.enter('ada')
    expect(() => subscribers.enter('ada')).toThrow(refused)
    leaveAsEve()
    expect(subscribers.count).toBe(20)
  })

  it('are a thousand in all at most', () => {
    const subscribers = new SubscriberLimit()
    for (let owner = 0; owner < 1_000; owner += 1) subscribers.enter(`guest ${owner}`)
    expect(() => subscribers.enter('eve')).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }))
  })
})
