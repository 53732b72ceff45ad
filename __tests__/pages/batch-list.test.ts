import { describe, expect, it } from 'vitest'
import { jobList, unknown } from '../../app/(console)/batch/jobs/job-list.ts'
import {
  costAsWords,
  countsAsWords,
  stateAsWords,
  timeLeftAsWords,
  toneOf,
  waitAsWords,
} from '../../app/(console)/batch/jobs/job-words.ts'
import { forgetJobs, missingJobs, rememberJobs } from '../../app/(console)/batch/jobs/remembered-jobs.ts'
import type { Job } from '../../app/(console)/gateway/job-wire.ts'
import { endsAsWords, endsOf } from '../../app/(console)/notifications/ends.ts'

const aJob = (
  id: string,
  about: Partial<Omit<Job, 'counts'>> = {},
  counts: Partial<Job['counts']> = {},
): Job => ({
  id,
  name: id,
  priority: 'normal',
  state: 'running',
  counts: { total: 10, queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, ...counts },
  progress: 0,
  etaSeconds: null,
  waiting: null,
  costUsd: 0,
  unpricedItems: 0,
  warnings: [],
  createdAt: `2026-11-26T00:00:0${id}.000Z`,
  endedAt: null,
  ...about,
})

const idsOf = ({ jobs }: { jobs?: readonly Job[] }) => jobs?.map(({ id }) => id)

describe('the list of batches', () => {
  const listed = (ids: string[], nextCursor: string | null = null) =>
    ({ type: 'listed', page: { jobs: ids.map(id => aJob(id)), nextCursor } }) as const

  it('is newest first, whatever came last', () => {
    const list = jobList(jobList(unknown, listed(['5', '3'])), { type: 'changed', job: aJob('4') })
    expect(idsOf(list)).toEqual(['5', '4', '3'])
    expect(idsOf(jobList(list, { type: 'changed', job: aJob('3') }))).toEqual(['5', '4', '3'])
  })

  it('forgets, when listed anew, what was taken away meanwhile', () => {
    expect(idsOf(jobList(jobList(unknown, listed(['5', '4', '3'])), listed(['5', '3'])))).toEqual(['5', '3'])
  })

  it('keeps older ones that were asked for, and where the next ones begin', () => {
    const first = jobList(unknown, listed(['5', '4'], 'behind 4'))
    const both = jobList(first, {
      type: 'listed-older',
      page: { jobs: [aJob('3'), aJob('2')], nextCursor: 'behind 2' },
    })
    expect(jobList(both, listed(['6', '5', '4'], 'behind 4'))).toMatchObject({
      nextCursor: 'behind 2',
      connection: 'live',
    })
    expect(idsOf(jobList(both, listed(['6', '5', '4'], 'behind 4')))).toEqual(['6', '5', '4', '3', '2'])
  })

  it('names batches of a session that was lost until they are dismissed', () => {
    const lost = [{ id: '5', name: 'Five', endedAt: null }]
    const page = { jobs: [], nextCursor: null }
    const list = jobList(jobList(unknown, listed(['5'])), { type: 'listed', page, lost })
    expect(list).toMatchObject({ jobs: [], lost })
    expect(jobList(list, { type: 'dismissed' }).lost).toEqual([])
  })

  it('stays as it was while the connection is lost', () => {
    const list = jobList(jobList(unknown, listed(['5'])), { type: 'lost' })
    expect(list.connection).toBe('lost')
    expect(idsOf(list)).toEqual(['5'])
  })
})

describe('the batches that this browser remembers', () => {
  const memoryOf = (stored: Record<string, string> = {}) => ({
    getItem: (key: string) => stored[key] ?? null,
    setItem: (key: string, value: string) => {
      stored[key] = value
    },
  })
  const NOW = Date.parse('2026-11-27T12:00:00Z')
  const missing = (ids: string[], memory: ReturnType<typeof memoryOf>) =>
    missingJobs(
      ids.map(id => ({ id })),
      NOW,
      memory,
    ).map(({ id }) => id)

  it('are missing where its session no longer lists them, unless they ended a day ago or were deleted', () => {
    const memory = memoryOf()
    const old = aJob('3', { state: 'completed', endedAt: '2026-11-26T11:00:00Z' })
    const recent = aJob('4', { state: 'completed', endedAt: '2026-11-27T11:00:00Z' })
    rememberJobs([aJob('1'), aJob('2'), old, recent], memory)
    rememberJobs([aJob('5')], memory)
    expect(missing(['5', '2'], memory)).toEqual(['1', '4'])
    forgetJobs(['1'], memory)
    expect(missing(['5', '2'], memory)).toEqual(['4'])
  })

  it('are none where storage is refused or holds something else', () => {
    expect(missingJobs([], NOW, undefined)).toEqual([])
    for (const text of ['{', '{}', '[1,{"id":2}]'])
      expect(missing([], memoryOf({ 'parley-batches': text })), text).toEqual([])
  })
})

describe('a batch in words', () => {
  it('never looks well when something failed', () => {
    expect(toneOf(aJob('1', { state: 'running' }, { failed: 1 }))).toBe('partly')
    expect(toneOf(aJob('1', { state: 'completed' }, { failed: 1 }))).toBe('partly')
    expect(toneOf(aJob('1', { state: 'cancelled' }, { failed: 1 }))).toBe('partly')
    expect(toneOf(aJob('1', { state: 'failed' }, { failed: 10 }))).toBe('badly')
    expect(toneOf(aJob('1', { state: 'cancelled' }))).toBe('still')
    expect(toneOf(aJob('1', { state: 'completed' }))).toBe('well')
  })

  it('says what failed beside its state', () => {
    expect(stateAsWords(aJob('1', { state: 'completed' }, { failed: 1_200 }))).toBe('Completed, 1,200 failed')
    expect(stateAsWords(aJob('1', { state: 'failed' }, { failed: 10 }))).toBe('Failed')
    expect(countsAsWords(aJob('1', {}, { succeeded: 7, failed: 2, cancelled: 1 }))).toBe(
      '7 of 10 succeeded, 2 failed, 1 cancelled',
    )
  })

  it('says how long it takes only where that is known', () => {
    expect(timeLeftAsWords(aJob('1'), false)).toBeUndefined()
    expect(timeLeftAsWords(aJob('1', { etaSeconds: 0 }), false)).toBe('about 1 second left')
    expect(timeLeftAsWords(aJob('1', { etaSeconds: 170 }), false)).toBe('about 3 minutes left')
  })

  it('gives no time left once the estimate has run out, or while nothing can progress', () => {
    expect(timeLeftAsWords(aJob('1', { etaSeconds: 1 }), true)).toBe('taking longer than estimated')
    const waitingFor = (reason: 'schedule' | 'worker' | 'queue' | 'model', state: Job['state'] = 'running') =>
      aJob('1', {
        state,
        etaSeconds: 1,
        waiting: { reason, message: 'Why.', model: 'openai/x', until: null },
      })
    for (const reason of ['worker', 'queue', 'model'] as const)
      expect(timeLeftAsWords(waitingFor(reason), false), reason).toBe('time left unknown')
    expect(timeLeftAsWords(waitingFor('queue', 'queued'), false)).toBe('waiting for its turn')
    expect(stateAsWords(waitingFor('model'))).toBe('Waiting for openai/x')
    expect(stateAsWords(waitingFor('worker'))).toBe('Waiting for a worker')
    expect(stateAsWords(waitingFor('queue', 'queued'))).toBe('Queued')
    expect(waitAsWords(waitingFor('model'))).toBe('Why.')
    expect(waitAsWords(waitingFor('queue'))).toBeUndefined()
  })

  it('tells an unknown price from no price', () => {
    expect(costAsWords(aJob('1'))).toBeUndefined()
    expect(costAsWords(aJob('1', { state: 'completed' }, { succeeded: 1 }))).toBe('$0')
    expect(costAsWords(aJob('1', { costUsd: 0.5 }, { succeeded: 1 }))).toBe('$0.5 so far')
    expect(costAsWords(aJob('1', { unpricedItems: 2 }, { succeeded: 2 }))).toBe('price unknown')
    expect(costAsWords(aJob('1', { costUsd: 0.5, unpricedItems: 1 }, { succeeded: 2 }))).toBe(
      '$0.5 so far, price unknown for 1',
    )
  })
})

describe('the ends of batches', () => {
  const ended = (id: string, state: Job['state'], endedAt = 'then') =>
    aJob(id, { state, endedAt }, { succeeded: 8, failed: 2 })

  it('are those of batches that finished, not of those that run or were cancelled', () => {
    const jobs = [ended('1', 'completed'), ended('2', 'failed'), ended('3', 'cancelled'), aJob('4')]
    expect(endsOf(jobs)).toEqual(['1 then', '2 then'])
  })

  it('are new ones when a batch was tried again', () => {
    expect(endsOf([ended('1', 'completed', 'later')])).not.toEqual(endsOf([ended('1', 'completed')]))
  })

  it('are announced once, of batches that were open before', () => {
    const now = [ended('1', 'completed'), ended('2', 'completed')]
    expect(endsAsWords([aJob('1')], now)).toBe('The batch “1” has ended: 8 of 10 succeeded, 2 failed.')
    expect(endsAsWords(now, now)).toBe('')
    expect(endsAsWords([], now)).toBe('')
  })
})
