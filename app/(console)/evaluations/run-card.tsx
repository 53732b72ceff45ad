import { useState } from 'react'
import { cost, plural } from '../format.ts'
import type { Result } from '../gateway/call.ts'
import type { Failure } from '../gateway/wire.ts'
import { ChevronIcon } from '../icons.tsx'
import { cancelRun, removeRun } from './evaluations-api.ts'
import { ReportView } from './report-view.tsx'
import { isOpen, type Run } from './wire.ts'

const STATES: Readonly<Record<Run['state'], string>> = {
  queued: 'Waiting',
  running: 'Running',
  completed: 'Finished',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

const toneOf = ({ state, counts }: Run): string => {
  if (state === 'failed') return 'badly'
  if (state === 'cancelled') return 'still'
  return counts.failed > 0 ? 'partly' : 'well'
}

const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

type Props = { run: Run; startsOpen: boolean; onChange: () => void }

/** One evaluation: its progress, its actions, and on request its report. */
export function RunCard({ run, startsOpen, onChange }: Props) {
  const [open, setOpen] = useState(startsOpen)
  const [failure, setFailure] = useState<Failure>()
  const headingId = `${run.id}-name`
  const facts = [
    plural(run.dataset.rows, 'row'),
    plural(run.variants.length, 'variant'),
    run.counts.failed > 0 && `${run.counts.failed} failed`,
    cost(run.costUsd),
  ]

  async function change(action: Promise<Result<unknown>>) {
    const { failure: refused } = await action
    setFailure(refused)
    if (!refused) onChange()
  }

  return (
    <article aria-labelledby={headingId} className="job" data-tone={toneOf(run)}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 id={headingId} className="min-w-0 font-medium wrap-anywhere">
          {run.name}
        </h3>
        <p className="tone text-sm font-medium">{STATES[run.state]}</p>
      </div>
      <progress aria-labelledby={headingId} className="bar mt-2.5" value={run.progress} max={1} />
      <ul aria-label="Figures" className="facts mt-2 text-sm text-muted tabular-nums">
        {facts.filter(Boolean).map(fact => (
          <li key={String(fact)}>{fact}</li>
        ))}
        <li>
          <time dateTime={run.createdAt}>{date.format(new Date(run.createdAt))}</time>
        </li>
      </ul>
      <div className="mt-2 -mb-1 -ml-2.5 flex flex-wrap items-center gap-x-1">
        <button
          type="button"
          className="text-button"
          aria-expanded={open}
          aria-label={`Report of ${run.name}`}
          onClick={() => setOpen(!open)}
        >
          <span className={open ? 'rotate-180' : ''}>
            <ChevronIcon />
          </span>
          Report
        </button>
        {isOpen(run) ? (
          <button
            type="button"
            className="text-button"
            aria-label={`Cancel ${run.name}`}
            onClick={() => void change(cancelRun(run.id))}
          >
            Cancel
          </button>
        ) : (
          <button
            type="button"
            className="text-button"
            aria-label={`Delete ${run.name}`}
            onClick={() => void change(removeRun(run.id))}
          >
            Delete
          </button>
        )}
        {failure && (
          <p role="alert" className="basis-full px-2.5 text-sm text-danger">
            {failure.message}
          </p>
        )}
      </div>
      {open && <ReportView run={run} />}
    </article>
  )
}
