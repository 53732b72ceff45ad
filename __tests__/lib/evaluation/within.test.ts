import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { within } from '#lib/evaluation/within.ts'

const clock = systemClock
const never = () => new Promise<never>(() => {})

describe('work within a time', () => {
  it('times out, as its signal does, although it goes on', async () => {
    let seen: AbortSignal | undefined
    const work = within({ clock, limitMs: 10, signal: new AbortController().signal }, signal => {
      seen = signal
      return never()
    })
    await expect(work).rejects.toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('0.01 s') })
    expect(seen?.reason).toMatchObject({ code: 'TIMEOUT' })
  })

  it('ends as it ends before that, and its signal does not abort later', async () => {
    const signals: AbortSignal[] = []
    const options = { clock, limitMs: 0, signal: new AbortController().signal }
    const noted = async (signal: AbortSignal) => signals.push(signal)
    expect(await within(options, noted)).toBe(1)
    const fault = new Error('fault')
    const failing = async (signal: AbortSignal) => {
      signals.push(signal)
      throw fault
    }
    await expect(within(options, failing)).rejects.toBe(fault)
    await new Promise(resolve => clock.timer(400, () => resolve(undefined)))
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
  })

  it('has a signal that aborts with that of its client', async () => {
    const client = new AbortController()
    const gone = new Error('gone')
    const work = within({ clock, limitMs: 60_000, signal: client.signal }, signal => {
      const { promise, reject } = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => reject(signal.reason))
      return promise
    })
    client.abort(gone)
    await expect(work).rejects.toBe(gone)
  })
})
