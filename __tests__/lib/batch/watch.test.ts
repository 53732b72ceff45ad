import { describe, expect, it } from 'vitest'
import { News } from '#lib/batch/news.ts'
import type { Job, JobState } from '#lib/batch/types.ts'
import { changes, progress } from '#lib/batch/watch.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const SUBJECT = 'guest ada'

const jobOf = (id: string, state: JobState = 'running', succeeded = 0): Job => ({
  id,
  owner: SUBJECT,
  name: 'A job',
  priority: 'normal',
  createdAt: 0,
  state,
  counts: { total: 9, queued: 9 - succeeded, running: 0, succeeded, failed: 0, cancelled: 0 },
  costUsd: 0,
  unpriced: 0,
})

/** Jobs that can be changed, watched by somebody who writes down what they are told and when. */
const watched = (watch: 'changes' | 'progress', ...jobs: readonly Job[]) => {
  const clock = new FakeClock()
  const startedAt = clock.now()
  const news = new News()
  const client = new AbortController()
  const state = { isStopping: false, hasEnded: false, watchers: 1 }
  const now = new Map(jobs.map(job => [job.id, job]))
  const told: [number, string, JobState, number][] = []
  const looks: number[] = []
  const look = () => {
    looks.push(clock.now() - startedAt)
    return [...now.values()]
  }
  const parts = {
    news,
    clock,
    watchers: () => state.watchers,
    signal: client.signal,
    isStopping: () => state.isStopping,
  }
  const events =
    watch === 'changes'
      ? changes(SUBJECT, async () => look(), parts)
      : progress(SUBJECT, async () => look()[0], parts)
  const reading = (async () => {
    for await (const job of events)
      told.push([clock.now() - startedAt, job.id, job.state, job.counts.succeeded])
    state.hasEnded = true
  })()
  /** A job goes on; whether that is told is another matter. */
  const becomes = (job: Job) => void now.set(job.id, job)
  const tells = async (job: Job) => {
    becomes(job)
    news.tell(SUBJECT)
    await clock.advance(0)
  }
  return { clock, news, client, state, now, told, looks, reading, becomes, tells }
}

describe('whoever watches jobs', () => {
  it('is told of all of them at first, and then of each that has changed', async () => {
    const { clock, told, becomes, tells } = watched('changes', jobOf('a'), jobOf('b'), jobOf('c'))
    await clock.advance(0)
    expect(told.map(([, id]) => id)).toEqual(['a', 'b', 'c'])
    becomes(jobOf('a', 'running', 1))
    await tells(jobOf('c', 'completed', 9))
    await clock.advance(10_000)
    expect(told.slice(3)).toEqual([
      [250, 'a', 'running', 1],
      [250, 'c', 'completed', 9],
    ])
  })

  it('is told of a new job, and of jobs that have ended', async () => {
    const { clock, told, state, tells } = watched('changes', jobOf('a', 'completed', 9))
    await clock.advance(0)
    await tells(jobOf('b', 'queued'))
    await clock.advance(250)
    expect(told.map(([, id]) => id)).toEqual(['a', 'b'])
    expect(state.hasEnded).toBe(false)
  })

  it('is told within a second and a quarter of what happened where nobody tells', async () => {
    const { clock, told, looks, becomes } = watched('changes', jobOf('a'))
    await clock.advance(100)
    becomes(jobOf('a', 'running', 1))
    await clock.advance(1_149)
    expect(told).toHaveLength(1)
    await clock.advance(1)
    expect(told.at(-1)).toEqual([1_250, 'a', 'running', 1])
    await clock.advance(2_500)
    expect(looks).toEqual([0, 1_250, 2_500, 3_750])
  })

  it('has the jobs looked at no more often than every 250 ms, however fast they go on', async () => {
    const { clock, told, looks, tells } = watched('changes', jobOf('a'))
    for (let step = 0; step < 100; step += 1) {
      await tells(jobOf('a', 'running', step))
      await clock.advance(10)
    }
    expect(looks).toEqual([0, 250, 500, 750, 1_000])
    expect(told.map(([at, , , succeeded]) => [at, succeeded])).toEqual([
      [0, 0],
      [250, 24],
      [500, 49],
      [750, 74],
      [1_000, 99],
    ])
  })

  it('looks less often where many watch', async () => {
    const { clock, state, looks, tells } = watched('changes', jobOf('a'))
    state.watchers = 300
    await clock.advance(250)
    for (let step = 0; step < 10; step += 1) {
      await tells(jobOf('a', 'running', step))
      await clock.advance(1_000)
    }
    const pauses = looks.slice(2).map((at, index) => at - (looks[index + 1] ?? 0))
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(3_000)
  })

  it('is told anew of a job that was out of sight meanwhile', async () => {
    const { clock, told, now, news } = watched('changes', jobOf('a'), jobOf('b'))
    await clock.advance(250)
    now.delete('a')
    news.tell(SUBJECT)
    await clock.advance(250)
    now.set('a', jobOf('a'))
    news.tell(SUBJECT)
    await clock.advance(250)
    expect(told.map(([, id]) => id)).toEqual(['a', 'b', 'a'])
  })

  it('misses nothing that happens while the jobs are looked at', async () => {
    const clock = new FakeClock()
    const news = new News()
    let succeeded = 0
    const look = async () => {
      const job = jobOf('a', 'running', succeeded)
      succeeded = 1
      news.tell(SUBJECT)
      return [job]
    }
    const { signal } = new AbortController()
    const jobs = changes(SUBJECT, look, { news, clock, watchers: () => 1, signal, isStopping: () => false })
    expect((await jobs.next()).value?.counts.succeeded).toBe(0)
    const next = jobs.next()
    await clock.advance(250)
    expect((await next).value?.counts.succeeded).toBe(1)
  })

  it('is told nothing of what others are told', async () => {
    const { clock, news, looks } = watched('changes', jobOf('a'))
    await clock.advance(0)
    news.tell('guest eve', 'b')
    await clock.advance(900)
    expect(looks).toEqual([0])
  })

  it.each([
    ['for news', 100],
    ['out the pause', 1_100],
  ])('can leave at once while it waits %s, and nothing goes on for it', async (_, afterMs) => {
    const { clock, client, state, looks, reading } = watched('changes', jobOf('a'))
    await clock.advance(afterMs)
    client.abort()
    await reading
    expect(state.hasEnded).toBe(true)
    expect(clock.pending).toBe(0)
    expect(looks).toEqual([0])
  })

  it('is told nothing where it has left before', async () => {
    const clock = new FakeClock()
    const parts = {
      news: new News(),
      clock,
      watchers: () => 1,
      signal: AbortSignal.abort(),
      isStopping: () => false,
    }
    expect(await changes(SUBJECT, async () => [jobOf('a')], parts).next()).toMatchObject({ done: true })
    expect(clock.pending).toBe(0)
  })

  it('is sent away by a gateway that stops, when next it would look', async () => {
    const { clock, state, looks } = watched('changes', jobOf('a'))
    await clock.advance(100)
    state.isStopping = true
    await clock.advance(1_150)
    expect(state.hasEnded).toBe(true)
    expect(looks).toEqual([0])
    expect(clock.pending).toBe(0)
  })
})

describe('the progress of a job', () => {
  it('is each of its changes, its end included, and then nothing more', async () => {
    const { clock, told, state, tells } = watched('progress', jobOf('a', 'queued'))
    await clock.advance(0)
    await tells(jobOf('a', 'running', 4))
    await clock.advance(250)
    await tells(jobOf('a', 'completed', 9))
    await clock.advance(250)
    expect(told).toEqual([
      [0, 'a', 'queued', 0],
      [250, 'a', 'running', 4],
      [500, 'a', 'completed', 9],
    ])
    expect(state.hasEnded).toBe(true)
  })

  it.each(['completed', 'failed', 'cancelled'] as const)(
    'is its end alone where it has %s before',
    async end => {
      const { clock, told, state } = watched('progress', jobOf('a', end, 3))
      await clock.advance(0)
      expect(told).toEqual([[0, 'a', end, 3]])
      expect(state.hasEnded).toBe(true)
    },
  )

  it('ends with a job that was removed before its end was seen', async () => {
    const { clock, news, now, told, state } = watched('progress', jobOf('a'))
    await clock.advance(0)
    now.clear()
    news.tell(SUBJECT)
    await clock.advance(250)
    expect(state.hasEnded).toBe(true)
    expect(told).toHaveLength(1)
  })

  it('ends when whoever watches leaves, and when the gateway stops', async () => {
    const left = watched('progress', jobOf('a'))
    await left.clock.advance(0)
    left.client.abort()
    await left.reading
    const stopped = watched('progress', jobOf('a'))
    await stopped.clock.advance(0)
    stopped.state.isStopping = true
    await stopped.clock.advance(1_250)
    expect([left.state.hasEnded, stopped.state.hasEnded]).toEqual([true, true])
  })

  it('fails where the job cannot be looked at', async () => {
    const clock = new FakeClock()
    const { signal } = new AbortController()
    const look = async () => {
      throw new Error('the records fail')
    }
    const jobs = progress('a', look, {
      news: new News(),
      clock,
      watchers: () => 1,
      signal,
      isStopping: () => false,
    })
    await expect(jobs.next()).rejects.toThrow('the records fail')
  })
})
