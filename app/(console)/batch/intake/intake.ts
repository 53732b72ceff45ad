import type { Priority } from '../../gateway/job-wire.ts'
import type { Failure } from '../../gateway/wire.ts'
import type { Hold } from '../../hold-notice.tsx'
import { fileFault, filesFault } from './files.ts'
import type { Reading } from './reading.ts'

/** A file that was chosen. `reading` is absent until it has been read, and `unreadable` where it is no text. */
export type Chosen = { id: number; file: File; reading?: Reading | 'unreadable' }

/** A batch in preparation, and the state of sending it. */
export type Intake = {
  chosen: readonly Chosen[]
  instruction: string
  name: string
  priority: Priority
  sending: Sending
}

export type Sending =
  | { state: 'not-yet' }
  | { state: 'under-way'; sent: number }
  | { state: 'failed'; failure: Failure }
  /** The gateway requested a wait. */
  | { state: 'held'; hold: Hold }
  | { state: 'taken'; name: string; items: number }

export type Action =
  | { type: 'chosen'; files: readonly File[]; firstId: number }
  | { type: 'read'; id: number; reading: Reading | undefined }
  | { type: 'removed'; ids: readonly number[] }
  | { type: 'written'; fields: Partial<Pick<Intake, 'instruction' | 'name' | 'priority'>> }
  | { type: 'sending'; sending: Sending }

export const nothing: Intake = {
  chosen: [],
  instruction: '',
  name: '',
  priority: 'normal',
  sending: { state: 'not-yet' },
}

export function intake(state: Intake, action: Action): Intake {
  const { chosen } = state
  switch (action.type) {
    case 'chosen': {
      const added = action.files.map((file, index) => ({ id: action.firstId + index, file }))
      return changed({ ...state, chosen: [...chosen, ...added] })
    }
    case 'read': {
      const reading = action.reading ?? 'unreadable'
      return { ...state, chosen: chosen.map(one => (one.id === action.id ? { ...one, reading } : one)) }
    }
    case 'removed':
      return changed({ ...state, chosen: chosen.filter(({ id }) => !action.ids.includes(id)) })
    case 'written':
      return { ...state, ...action.fields }
    case 'sending':
      return action.sending.state === 'taken'
        ? { ...nothing, sending: action.sending }
        : { ...state, sending: action.sending }
  }
}

/** After a change of files the result of the last sending is cleared; a wait continues. */
function changed(state: Intake): Intake {
  const { sending } = state
  return sending.state === 'failed' || sending.state === 'taken'
    ? { ...state, sending: nothing.sending }
    : state
}

/** Whether closing the page would lose something: chosen files cannot be kept by the browser. */
export function isUnsaved({ chosen, sending }: Intake): boolean {
  return chosen.length > 0 || sending.state === 'under-way'
}

/** Why a chosen file cannot be sent; undefined where it can. */
export function chosenFault({ file, reading }: Chosen): string | undefined {
  return (
    fileFault(file) ??
    (reading === 'unreadable' ? 'Not UTF-8 text; save it as UTF-8 and choose it again' : undefined)
  )
}

export function maySend({ chosen, sending }: Intake): boolean {
  const held = sending.state === 'held' && sending.hold.until !== undefined
  return (
    chosen.length > 0 &&
    !held &&
    sending.state !== 'under-way' &&
    !chosen.some(chosenFault) &&
    !filesFault(chosen.map(({ file }) => file))
  )
}

/** The content read from the files so far. */
export function readingsOf(chosen: readonly Chosen[]): Reading[] {
  return chosen.flatMap(({ reading }) => (reading && reading !== 'unreadable' ? reading : []))
}
