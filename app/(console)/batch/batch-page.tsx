'use client'

import { useEffect } from 'react'
import type { Job } from '../gateway/job-wire.ts'
import { useModels } from '../models/use-models.ts'
import { endsOf } from '../notifications/ends.ts'
import { lookAt } from '../notifications/seen.ts'
import { useNotifications } from '../notifications/use-notifications.ts'
import { PageHeader } from '../page-header.tsx'
import { Status } from '../status.tsx'
import { intakeAnnouncement } from './intake/intake-announcement.ts'
import { IntakeForm } from './intake/intake-form.tsx'
import { useIntake } from './intake/use-intake.ts'
import { JobsSection } from './jobs/jobs-section.tsx'
import { useJobs } from './jobs/use-jobs.ts'

/** The page for sending and monitoring batches. It uses only the gateway's public API. */
export function BatchPage() {
  const picking = useModels()
  const list = useJobs()
  const intake = useIntake(picking.model, list.add)
  const notificationBadge = useNotifications(list.jobs)
  useLooking(list.jobs)

  return (
    <div className="flex min-h-dvh flex-col">
      <PageHeader at="/batch" finished={notificationBadge.count} />
      <main id="main" tabIndex={-1} className="column flex-1 pt-4 pb-16">
        <IntakeForm intake={intake} picking={picking} />
        <JobsSection list={list} />
      </main>
      <Status words={[intakeAnnouncement(intake.sending), notificationBadge.announcement]} />
    </div>
  )
}

/** All batches on this page count as seen when the page is visible. */
function useLooking(jobs: readonly Job[] | undefined): void {
  useEffect(() => {
    if (!jobs) return
    const look = () => document.hidden || lookAt(endsOf(jobs))
    look()
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [jobs])
}
