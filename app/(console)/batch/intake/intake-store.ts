import { PRIORITIES } from '../../gateway/job-wire.ts'
import { parsedJson } from '../../gateway/parsed-json.ts'
import { type Action, type Intake, intake, isUnsaved, nothing } from './intake.ts'

const DRAFT_KEY = 'parley-batch-draft'

let state: Intake | undefined
const listeners = new Set<() => void>()

/**
 * The batch in preparation. It outlives the batch page, so that files and a running upload survive a look at another
 * page; its texts survive a reload of the tab as well.
 */
export const intakeStore = {
  get(): Intake {
    state ??= { ...nothing, ...storedDraft() }
    return state
  },
  dispatch(action: Action): void {
    const next = intake(intakeStore.get(), action)
    if (next === state) return
    state = next
    storeDraft(next)
    warnBeforeLeaving(isUnsaved(next))
    for (const listener of listeners) listener()
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
}

function storeDraft({ instruction, name, priority }: Intake): void {
  try {
    sessionStorage.setItem(DRAFT_KEY, JSON.stringify({ instruction, name, priority }))
  } catch {}
}

function storedDraft(): Partial<Intake> {
  try {
    const stored = parsedJson(sessionStorage.getItem(DRAFT_KEY) ?? '{}') as Record<string, unknown>
    const priority = PRIORITIES.find(one => one === stored.priority)
    return {
      ...(typeof stored.instruction === 'string' && { instruction: stored.instruction }),
      ...(typeof stored.name === 'string' && { name: stored.name }),
      ...(priority && { priority }),
    }
  } catch {
    return {}
  }
}

const ask = (event: BeforeUnloadEvent) => event.preventDefault()

function warnBeforeLeaving(isUnsaved: boolean): void {
  if (isUnsaved) addEventListener('beforeunload', ask)
  else removeEventListener('beforeunload', ask)
}
