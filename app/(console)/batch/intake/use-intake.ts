import { useEffect, useRef, useSyncExternalStore } from 'react'
import { takeHandedOverFiles } from '../../dropped-files.ts'
import type { Job } from '../../gateway/job-wire.ts'
import { renewSession } from '../../gateway/session.ts'
import type { Failure } from '../../gateway/wire.ts'
import type { Hold } from '../../hold-notice.tsx'
import { announceJobs } from '../../notifications/jobs-channel.ts'
import { fileFault } from './files.ts'
import { type Intake, maySend, nothing, type Sending } from './intake.ts'
import { intakeStore } from './intake-store.ts'
import { readingOf } from './reading.ts'
import { upload } from './upload.ts'

const SESSION_WAIT_MS = 1_000

let nextId = 1
let running: AbortController | undefined

const { dispatch } = intakeStore
const become = (sending: Sending) => dispatch({ type: 'sending', sending })

/** The state of a batch in preparation, with its actions; `onTaken` is called with the job while the page is shown. */
export function useIntake(model: string | undefined, onTaken: (job: Job) => void) {
  const state = useSyncExternalStore(intakeStore.subscribe, intakeStore.get, () => nothing)
  const taken = useRef(onTaken)
  useEffect(() => {
    taken.current = onTaken
  })
  useEffect(() => {
    const files = takeHandedOverFiles()
    if (files.length > 0) void choose(files)
  }, [])

  return {
    ...state,
    choose,
    remove: (ids: readonly number[]) => dispatch({ type: 'removed', ids }),
    write: (fields: Partial<Pick<Intake, 'instruction' | 'name' | 'priority'>>) =>
      dispatch({ type: 'written', fields }),
    send: () => send(model, job => taken.current(job)),
    stop: () => running?.abort(),
    endWait,
  }
}

const endWait = () => become(nothing.sending)

/** Sequentially: reading all at once would only fill the memory. */
async function choose(files: readonly File[]): Promise<void> {
  const firstId = nextId
  nextId += files.length
  dispatch({ type: 'chosen', files, firstId })
  for (const [index, file] of files.entries()) {
    if (!fileFault(file)) dispatch({ type: 'read', id: firstId + index, reading: await readingOf(file) })
  }
}

/** Sends what the store holds now, so that a second click changes nothing. */
async function send(model: string | undefined, onTaken: (job: Job) => void): Promise<void> {
  const { instruction, name, priority, chosen, ...rest } = intakeStore.get()
  if (!maySend({ instruction, name, priority, chosen, ...rest })) return
  const controller = new AbortController()
  running = controller
  become({ state: 'under-way', sent: 0 })
  // A batch of a session that was lost could never be opened.
  await Promise.race([renewSession(), new Promise(resolve => setTimeout(resolve, SESSION_WAIT_MS))])
  const wanted = { files: chosen.map(({ file }) => file), instruction, name, priority, model }
  const outcome = await upload(wanted, sent => become({ state: 'under-way', sent }), controller.signal)
  if (!outcome) return become(nothing.sending)
  if (outcome.failure) return become(failed(outcome.failure))
  become({ state: 'taken', name: outcome.job.name, items: outcome.job.counts.total })
  announceJobs()
  onTaken(outcome.job)
}

function failed(failure: Failure): Sending {
  return failure.status === 429 ? { state: 'held', hold: holdOf(failure) } : { state: 'failed', failure }
}

function holdOf(failure: Failure): Hold {
  const { retryAfterSeconds } = failure
  return { failure, until: retryAfterSeconds ? Date.now() + retryAfterSeconds * 1_000 : undefined }
}
