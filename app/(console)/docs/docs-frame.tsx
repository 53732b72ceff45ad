'use client'

import type { ReactNode } from 'react'
import { useNotifications } from '../notifications/use-notifications.ts'
import { usePolledJobs } from '../notifications/use-polled-jobs.ts'
import { PageHeader } from '../page-header.tsx'
import { Status } from '../status.tsx'

/** The header around the reference, which is rendered on the server. */
export function DocsFrame({ children }: { children: ReactNode }) {
  const notificationBadge = useNotifications(usePolledJobs())
  return (
    <div className="flex min-h-dvh flex-col">
      <PageHeader at="/docs" finished={notificationBadge.count} />
      {children}
      <Status words={[notificationBadge.announcement]} />
    </div>
  )
}
