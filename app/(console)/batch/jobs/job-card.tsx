import { useState } from 'react'
import type { Job } from '../../gateway/job-wire.ts'
import { ChevronIcon } from '../../icons.tsx'
import { JobItems } from '../items/job-items.tsx'
import { JobActions } from './job-actions.tsx'
import {
  costAsWords,
  countsAsWords,
  dateTime,
  stateAsWords,
  timeLeftAsWords,
  toneOf,
  waitAsWords,
} from './job-words.ts'
import { useLate } from './use-late.ts'

type Props = {
  job: Job
  onChange: (job: Job) => void
  onDrop: () => void
  /** Called when the gateway does not know the batch. */
  onMissing: () => void
}

/** One batch: its progress, its actions, and on request its items. */
export function JobCard({ job, onChange, onDrop, onMissing }: Props) {
  const [open, setOpen] = useState(false)
  const isLate = useLate(job)
  const facts = [countsAsWords(job), timeLeftAsWords(job, isLate), costAsWords(job)]
  const wait = waitAsWords(job)
  const headingId = `${job.id}-name`
  return (
    <article aria-labelledby={headingId} className="job" data-tone={toneOf(job)} data-job-state={job.state}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 id={headingId} className="min-w-0 font-medium wrap-anywhere">
          {job.name}
        </h3>
        <p className="tone text-sm font-medium">{stateAsWords(job)}</p>
      </div>
      <progress aria-labelledby={headingId} className="bar mt-2.5" value={job.progress} max={1} />
      <ul aria-label="Figures" className="facts mt-2 text-sm text-muted tabular-nums">
        {facts.filter(Boolean).map(fact => (
          <li key={fact}>{fact}</li>
        ))}
        <li>
          <time dateTime={job.createdAt}>{dateTime(job.createdAt)}</time>
        </li>
      </ul>
      {wait && <p className="mt-1 text-sm wrap-anywhere text-warn">{wait}</p>}
      {job.warnings.length > 0 && (
        <ul aria-label="Warnings" className="mt-2 text-sm wrap-anywhere">
          {job.warnings.map(warning => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      <div className="mt-2 -mb-1 -ml-2.5 flex flex-wrap items-center gap-x-1">
        <button
          type="button"
          className="text-button"
          aria-expanded={open}
          aria-label={`Items of ${job.name}`}
          onClick={() => setOpen(!open)}
        >
          <span className={open ? 'rotate-180' : ''}>
            <ChevronIcon />
          </span>
          Items
        </button>
        <JobActions job={job} onChange={onChange} onDrop={onDrop} onMissing={onMissing} />
      </div>
      {open && <JobItems job={job} onMissing={onMissing} />}
    </article>
  )
}
