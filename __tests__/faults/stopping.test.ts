import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { FaultScene, WARM_UP } from '../support/fault-scene.ts'
import { hangs, neverEnds, says } from '../support/upstream-behaviour.ts'

const GRACE_SECONDS = 4
const EACH = 100

describe('SIGTERM with two hundred streams under way', () => {
  it('F25: lets end what ends in time, tells the rest, holds nothing upstream, and exits with 0', async () => {
    const scene = await FaultScene.start({
      deadlineMs: 30_000,
      env: () => ({ SHUTDOWN_GRACE_SECONDS: String(GRACE_SECONDS), ENABLE_CACHING: 'false' }),
    })
    const { gateway, upstream } = scene
    try {
      const release = Promise.withResolvers<void>()
      const ending = upstream.modelThat(async (...call) => {
        await release.promise
        return says(['To', ' the', ' end'])(...call)
      })
      const endless = upstream.modelThat(neverEnds({ paceMs: 500 }))
      const silent = upstream.modelThat(hangs)
      const ask = (model: string, stream = true) => scene.ask(`openai/${model}`, stream)
      const streams = Array.from({ length: 2 * EACH }, (_, index) => ask(index < EACH ? ending : endless))
      const plain = ask(silent, false)
      await expect.poll(() => scene.openRequests(), { timeout: 30_000 }).toBe(2 * EACH + 1)

      gateway.signal('SIGTERM')
      await gateway.until(() => gateway.everything.includes('"stopping"') || undefined, 'the stop')
      expect((await fetch(`${gateway.url}/api/health/ready`)).status).toBe(503)
      release.resolve()

      const told = await Promise.all(streams)
      expect(told.slice(0, EACH).filter(({ content }) => content !== 'To the end')).toEqual([])
      expect(told.slice(0, EACH).map(({ events }) => events.at(-1)?.event)).toEqual(Array(EACH).fill('done'))
      const last = { code: 'SHUTTING_DOWN', retryable: true }
      for (const { error, requestId } of [...told.slice(EACH), await plain])
        expect(error).toMatchObject({ ...last, requestId })
      expect((await plain).status).toBe(503)
      expect(await gateway.exited()).toBe(0)
      expect(upstream.open).toEqual([])
      const ids = gateway.log
        .map(({ requestId }) => requestId)
        .filter(id => id !== undefined && id !== WARM_UP)
      expect(new Set(ids).size).toBe(2 * EACH + 1)
      expect(ids).toHaveLength(2 * EACH + 1)
    } finally {
      await scene.stop()
    }
  })
})

describe('the clock', () => {
  it('F28: goes on evenly when the wall clock is set back or forward by an hour', () => {
    const before = systemClock.now()
    const wall = vi.spyOn(Date, 'now')
    for (const hours of [-1, 1]) {
      wall.mockReturnValue(before + hours * 3_600_000)
      expect(systemClock.now()).toBeGreaterThanOrEqual(before)
      expect(systemClock.now()).toBeLessThan(before + 600_000)
    }
    wall.mockRestore()
  })

  it('F28: that jumps makes no limit negative, and lets no caller through twice', async () => {
    const counter = slidingWindow()
    const bucket = { key: 'caller', limit: 3, windowMs: 60_000 }
    const hour = 3_600_000
    let allowed = 0
    for (const now of [hour, 2 * hour, hour, hour, hour, hour + 30_000, hour]) {
      const [taking] = await counter.take([bucket], 1, now)
      expect(taking?.remaining).toBeGreaterThanOrEqual(0)
      expect(taking?.waitMs).toBeGreaterThanOrEqual(0)
      expect(taking?.resetMs).toBeGreaterThanOrEqual(0)
      if (taking?.allowed) allowed += 1
    }
    // One before the jump forward, whose window has passed by then, and three after it.
    expect(allowed).toBe(4)
  })
})
