'use client'

import { useRef, useState } from 'react'
import { useNotifications } from '../notifications/use-notifications.ts'
import { usePolledJobs } from '../notifications/use-polled-jobs.ts'
import { PageHeader } from '../page-header.tsx'
import { Status } from '../status.tsx'
import { RunCard } from './run-card.tsx'
import { StartForm } from './start-form.tsx'
import { useRuns } from './use-runs.ts'

/** The page for comparing models on a data set. It uses only the gateway's public API. */
export function EvaluationsPage() {
  const notificationBadge = useNotifications(usePolledJobs())
  const { runs, failure, reload } = useRuns()
  const [started, setStarted] = useState<string>()
  const heading = useRef<HTMLHeadingElement>(null)

  function change() {
    // The focused button may disappear with its evaluation.
    heading.current?.focus()
    reload()
  }

  return (
    <div className="flex min-h-dvh flex-col">
      <PageHeader at="/evaluations" finished={notificationBadge.count} />
      <main id="main" tabIndex={-1} className="column flex-1 pt-4 pb-16">
        <h2 className="font-serif text-3xl tracking-tight">Compare models</h2>
        <p className="mt-2 text-muted">
          Every row of a data set is answered by each model, graded, and compared side by side.
        </p>
        <StartForm
          onStart={run => {
            setStarted(run.id)
            reload()
          }}
        />
        <section aria-labelledby="your-evaluations" className="mt-12">
          <h2
            id="your-evaluations"
            ref={heading}
            tabIndex={-1}
            className="font-serif text-2xl tracking-tight outline-none"
          >
            Your evaluations
          </h2>
          {failure && (
            <div className="notice mt-3">
              <p role="alert">{failure.message}</p>
              <button type="button" className="text-button" onClick={reload}>
                Try again
              </button>
            </div>
          )}
          {!runs && !failure && <p className="mt-2 text-muted">Loading evaluations…</p>}
          {runs?.length === 0 && <p className="mt-2 text-muted">None yet.</p>}
          <ul className="mt-4 flex flex-col gap-3">
            {runs?.map(run => (
              <li key={run.id}>
                <RunCard run={run} startsOpen={run.id === started} onChange={change} />
              </li>
            ))}
          </ul>
        </section>
      </main>
      <Status words={[started ? 'Evaluation started.' : '', notificationBadge.announcement]} />
    </div>
  )
}
