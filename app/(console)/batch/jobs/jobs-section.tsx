import { useRef } from 'react'
import { JobCard } from './job-card.tsx'
import { LostSession } from './lost-session.tsx'
import type { useJobs } from './use-jobs.ts'

/** The user's batches, newest first. */
export function JobsSection({ list }: { list: ReturnType<typeof useJobs> }) {
  const { jobs, connection, failure, nextCursor, lost } = list
  const heading = useRef<HTMLHeadingElement>(null)

  function drop(id: string) {
    list.drop(id)
    // The focused button disappears with its batch.
    heading.current?.focus()
  }

  return (
    <section aria-labelledby="your-batches" className="mt-12">
      <h2
        id="your-batches"
        ref={heading}
        tabIndex={-1}
        className="font-serif text-2xl tracking-tight outline-none"
      >
        Your batches
      </h2>
      {connection === 'lost' && (
        <p className="mt-2 text-sm text-warn">{failure?.message ?? 'Connection lost. Reconnecting…'}</p>
      )}
      {!jobs && connection !== 'lost' && <p className="mt-2 text-muted">Loading batches…</p>}
      {lost.length > 0 && <LostSession jobs={lost} onDismiss={list.dismissLost} />}
      {jobs?.length === 0 && <p className="mt-2 text-muted">No batches yet. Upload files to start one.</p>}
      <ul className="mt-4 flex flex-col gap-3">
        {jobs?.map(job => (
          <li key={job.id}>
            <JobCard job={job} onChange={list.change} onDrop={() => drop(job.id)} onMissing={list.refresh} />
          </li>
        ))}
      </ul>
      {nextCursor && (
        <button type="button" className="outline-button mt-4" onClick={() => void list.showOlder()}>
          Older batches
        </button>
      )}
    </section>
  )
}
