import { describe, expect, it } from 'vitest'
import { ChangeNotifier, jobChanges, jobProgress } from '#lib/batch/job-stream.ts'
import type { Job, JobState } from '#lib/batch/types.ts'
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
  const changes = new ChangeNotifier()
  const client = new AbortController()
  const state = { isStopping: false, hasEnded: false, watchers: 1 }
  const now = new Map(jobs.map(job => [job.id, job]))
  const sent: [number, string, JobState, number][] = []
  const reads: number[] = []
  const look = () => {
    reads.push(clock.now() - startedAt)
    return [...now.values()]
  }
  const parts = {
    changes,
    clock,
    subscribers: () => state.watchers,
    signal: client.signal,
    isStopping: () => state.isStopping,
  }
  const events =
    watch === 'changes'
      ? jobChanges(SUBJECT, async () => look(), parts)
      : jobProgress(SUBJECT, async () => look()[0], parts)
  const reading = (async () => {
    for await (const job of events)
      sent.push([clock.now() - startedAt, job.id, job.state, job.counts.succeeded])
    state.hasEnded = true
  })()
  /** A job goes on; whether that is told is another matter. */
  const becomes = (job: Job) => void now.set(job.id, job)
  const tells = async (job: Job) => {
    becomes(job)
    changes.notify(SUBJECT)
    await clock.advance(0)
  }
  return { clock, changes, client, state, now, sent, reads, reading, becomes, tells }
}

describe('a stream of jobs', () => {
  it('sends all of them at first, and then each that has changed', async () => {
    const { clock, sent, becomes, tells } = watched('changes', jobOf('a'), jobOf('b'), jobOf('c'))
    await clock.advance(0)
    expect(sent.map(([, id]) => id)).toEqual(['a', 'b', 'c'])
    becomes(jobOf('a', 'running', 1))
    await tells(jobOf('c', 'completed', 9))
    await clock.advance(10_000)
    expect(sent.slice(3)).toEqual([
      [250, 'a', 'running', 1],
      [250, 'c', 'completed', 9],
    ])
  })

  it('sends a new job, and jobs that have ended', async () => {
    const { clock, sent, state, tells } = watched('changes', jobOf('a', 'completed', 9))
    await clock.advance(0)
    await tells(jobOf('b', 'queued'))
    await clock.advance(250)
    expect(sent.map(([, id]) => id)).toEqual(['a', 'b'])
    expect(state.hasEnded).toBe(false)
  })

  it('sends within a second and a quarter what happened without a signal', async () => {
    const { clock, sent, reads, becomes } = watched('changes', jobOf('a'))
    await clock.advance(100)
    becomes(jobOf('a', 'running', 1))
    await clock.advance(1_149)
    expect(sent).toHaveLength(1)
    await clock.advance(1)
    expect(sent.at(-1)).toEqual([1_250, 'a', 'running', 1])
    await clock.advance(2_500)
    expect(reads).toEqual([0, 1_250, 2_500, 3_750])
  })

  it('has the jobs looked at no more often than every 250 ms, however fast they go on', async () => {
    const { clock, sent, reads, tells } = watched('changes', jobOf('a'))
    for (let step = 0; step < 100; step += 1) {
      await tells(jobOf('a', 'running', step))
      await clock.advance(10)
    }
    expect(reads).toEqual([0, 250, 500, 750, 1_000])
    expect(sent.map(([at, , , succeeded]) => [at, succeeded])).toEqual([
      [0, 0],
      [250, 24],
      [500, 49],
      [750, 74],
      [1_000, 99],
    ])
  })

  it('looks less often where many watch', async () => {
    const { clock, state, reads, tells } = watched('changes', jobOf('a'))
    state.watchers = 300
    await clock.advance(250)
    for (let step = 0; step < 10; step += 1) {
      await tells(jobOf('a', 'running', step))
      await clock.advance(1_000)
    }
    const pauses = reads.slice(2).map((at, index) => at - (reads[index + 1] ?? 0))
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(3_000)
  })

  it('sends a job anew that was out of sight meanwhile', async () => {
    const { clock, sent, now, changes } = watched('changes', jobOf('a'), jobOf('b'))
    await clock.advance(250)
    now.delete('a')
    changes.notify(SUBJECT)
    await clock.advance(250)
    now.set('a', jobOf('a'))
    changes.notify(SUBJECT)
    await clock.advance(250)
    expect(sent.map(([, id]) => id)).toEqual(['a', 'b', 'a'])
  })

  it('misses nothing that happens while the jobs are looked at', async () => {
    const clock = new FakeClock()
    const changes = new ChangeNotifier()
    let succeeded = 0
    const look = async () => {
      const job = jobOf('a', 'running', succeeded)
      succeeded = 1
      changes.notify(SUBJECT)
      return [job]
    }
    const { signal } = new AbortController()
    const jobs = jobChanges(SUBJECT, look, {
      changes,
      clock,
      subscribers: () => 1,
      signal,
      isStopping: () => false,
    })
    expect((await jobs.next()).value?.counts.succeeded).toBe(0)
    const next = jobs.next()
    await clock.advance(250)
    expect((await next).value?.counts.succeeded).toBe(1)
  })

  it('sends nothing of what other owners get', async () => {
    const { clock, changes, reads } = watched('changes', jobOf('a'))
    await clock.advance(0)
    changes.notify('guest eve', 'b')
    await clock.advance(900)
    expect(reads).toEqual([0])
  })

  it.each([
    ['for news', 100],
    ['out the pause', 1_100],
  ])('can leave at once while it waits %s, and nothing goes on for it', async (_, afterMs) => {
    const { clock, client, state, reads, reading } = watched('changes', jobOf('a'))
    await clock.advance(afterMs)
    client.abort()
    await reading
    expect(state.hasEnded).toBe(true)
    expect(clock.pending).toBe(0)
    expect(reads).toEqual([0])
  })

  it('sends nothing to a client that has left before', async () => {
    const clock = new FakeClock()
    const parts = {
      changes: new ChangeNotifier(),
      clock,
      subscribers: () => 1,
      signal: AbortSignal.abort(),
      isStopping: () => false,
    }
    expect(await jobChanges(SUBJECT, async () => [jobOf('a')], parts).next()).toMatchObject({ done: true })
    expect(clock.pending).toBe(0)
  })

  it('is sent away by a gateway that stops, when next it would look', async () => {
    const { clock, state, reads } = watched('changes', jobOf('a'))
    await clock.advance(100)
    state.isStopping = true
    await clock.advance(1_150)
    expect(state.hasEnded).toBe(true)
    expect(reads).toEqual([0])
    expect(clock.pending).toBe(0)
  })
})

describe('the progress of a job', () => {
  it('is each of its changes, its end included, and then nothing more', async () => {
    const { clock, sent, state, tells } = watched('progress', jobOf('a', 'queued'))
    await clock.advance(0)
    await tells(jobOf('a', 'running', 4))
    await clock.advance(250)
    await tells(jobOf('a', 'completed', 9))
    await clock.advance(250)
    expect(sent).toEqual([
      [0, 'a', 'queued', 0],
      [250, 'a', 'running', 4],
      [500, 'a', 'completed', 9],
    ])
    expect(state.hasEnded).toBe(true)
  })

  it.each(['completed', 'failed', 'cancelled'] as const)(
    'is its end alone where it has %s before',
    async end => {
      const { clock, sent, state } = watched('progress', jobOf('a', end, 3))
      await clock.advance(0)
      expect(sent).toEqual([[0, 'a', end, 3]])
      expect(state.hasEnded).toBe(true)
    },
  )

  it('ends with a job that was removed before its end was seen', async () => {
    const { clock, changes, now, sent, state } = watched('progress', jobOf('a'))
    await clock.advance(0)
    now.clear()
    changes.notify(SUBJECT)
    await clock.advance(250)
    expect(state.hasEnded).toBe(true)
    expect(sent).toHaveLength(1)
  })

  it('ends when its client leaves, and when the gateway stops', async () => {
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
    const jobs = jobProgress('a', look, {
      changes: new ChangeNotifier(),
      clock,
      subscribers: () => 1,
      signal,
      isStopping: () => false,
    })
    await expect(jobs.next()).rejects.toThrow('the records fail')
  })
})
