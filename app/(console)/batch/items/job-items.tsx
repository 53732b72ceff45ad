import { useState } from 'react'
import { ITEM_STATES, type ItemState, type Job } from '../../gateway/job-wire.ts'
import { ChevronIcon } from '../../icons.tsx'
import { ItemTable } from './item-table.tsx'
import { useItems } from './use-items.ts'

type Props = {
  job: Job
  /** Called when the gateway does not know the batch. */
  onMissing: () => void
}

/** A batch's items: one page of them, of all states or of one. */
export function JobItems({ job, onMissing }: Props) {
  const [state, setState] = useState<ItemState>()
  /** The cursors of the pages up to this one, without the first. */
  const [cursors, setCursors] = useState<readonly string[]>([])
  const { page, error } = useItems(job, state, cursors.at(-1), onMissing)

  function filter(chosen: string) {
    setState(ITEM_STATES.find(one => one === chosen))
    setCursors([])
  }

  return (
    <div className="mt-3 border-t border-line pt-2">
      <StateFilter state={state} job={job} onChoose={filter} />
      {error && (
        <p role="alert" className="text-sm text-danger">
          {error}
        </p>
      )}
      {!page && !error && <p className="text-sm text-muted">Loading items…</p>}
      {page?.items.length === 0 && <p className="text-sm text-muted">No items in this state.</p>}
      {page && page.items.length > 0 && <ItemTable items={page.items} job={job} />}
      {(cursors.length > 0 || page?.nextCursor) && (
        <div className="mt-2 -ml-2.5 flex gap-1">
          <button
            type="button"
            className="text-button"
            disabled={cursors.length === 0}
            onClick={() => setCursors(cursors.slice(0, -1))}
          >
            Previous
          </button>
          <button
            type="button"
            className="text-button"
            disabled={!page?.nextCursor}
            onClick={() => page?.nextCursor && setCursors([...cursors, page.nextCursor])}
          >
            Next
          </button>
        </div>
      )}
    </div>
  )
}

type FilterProps = { state: ItemState | undefined; job: Job; onChoose: (chosen: string) => void }

function StateFilter({ state, job, onChoose }: FilterProps) {
  return (
    <span className="relative -ml-2 inline-flex items-center text-muted hover:text-ink">
      <select
        aria-label={`Items of ${job.name} to show`}
        className="picker"
        value={state ?? ''}
        onChange={event => onChoose(event.target.value)}
      >
        <option value="">All items ({job.counts.total.toLocaleString('en')})</option>
        {ITEM_STATES.map(one => (
          <option key={one} value={one}>
            {one[0]?.toUpperCase()}
            {one.slice(1)} ({job.counts[one].toLocaleString('en')})
          </option>
        ))}
      </select>
      <span className="pointer-events-none absolute right-1.5">
        <ChevronIcon />
      </span>
    </span>
  )
}
