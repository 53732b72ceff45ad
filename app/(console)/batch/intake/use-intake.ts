import { useCallback, useEffect, useEffectEvent, useReducer, useRef } from 'react'
import { takeHandedOverFiles } from '../../dropped-files.ts'
import type { Job } from '../../gateway/job-wire.ts'
import { sessionWithin } from '../../gateway/session.ts'
import type { Failure } from '../../gateway/wire.ts'
import type { Hold } from '../../hold-notice.tsx'
import { fileFault } from './files.ts'
import { type Intake, intake, maySend, nothing, type Sending } from './intake.ts'
import { readingOf } from './reading.ts'
import { upload } from './upload.ts'

const SESSION_WAIT_MS = 1_000

/** The state of a batch in preparation, with its actions; `onTaken` is called with the job. */
export function useIntake(model: string | undefined, onTaken: (job: Job) => void) {
  const [state, dispatch] = useReducer(intake, nothing)
  const nextId = useRef(1)
  const running = useRef<AbortController>(undefined)
  useEffect(() => () => running.current?.abort(), [])

  const become = (sending: Sending) => dispatch({ type: 'sending', sending })

  /** Sequentially: reading all at once would only fill the memory. */
  async function choose(files: readonly File[]) {
    const firstId = nextId.current
    nextId.current += files.length
    dispatch({ type: 'chosen', files, firstId })
    for (const [index, file] of files.entries()) {
      if (!fileFault(file)) dispatch({ type: 'read', id: firstId + index, reading: await readingOf(file) })
    }
  }

  const chooseHandedOver = useEffectEvent(() => {
    const files = takeHandedOverFiles()
    if (files.length > 0) void choose(files)
  })
  useEffect(() => chooseHandedOver(), [])

  async function send() {
    if (!maySend(state)) return
    const controller = new AbortController()
    running.current = controller
    become({ state: 'under-way', sent: 0 })
    await sessionWithin(SESSION_WAIT_MS)
    const { instruction, name, priority, chosen } = state
    const wanted = { files: chosen.map(({ file }) => file), instruction, name, priority, model }
    const outcome = await upload(wanted, sent => become({ state: 'under-way', sent }), controller.signal)
    if (!outcome) return become(nothing.sending)
    if (outcome.failure) return become(failed(outcome.failure))
    become({ state: 'taken', name: outcome.job.name, items: outcome.job.counts.total })
    onTaken(outcome.job)
  }

  return {
    ...state,
    choose,
    remove: (id: number) => dispatch({ type: 'removed', id }),
    write: (fields: Partial<Pick<Intake, 'instruction' | 'name' | 'priority'>>) =>
      dispatch({ type: 'written', fields }),
    send,
    stop: () => running.current?.abort(),
    endWait: useCallback(() => dispatch({ type: 'sending', sending: nothing.sending }), []),
  }
}

function failed(failure: Failure): Sending {
  return failure.status === 429 ? { state: 'held', hold: holdOf(failure) } : { state: 'failed', failure }
}

function holdOf(failure: Failure): Hold {
  const { retryAfterSeconds } = failure
  return { failure, until: retryAfterSeconds ? Date.now() + retryAfterSeconds * 1_000 : undefined }
}
