'use client'

import { useState } from 'react'
import { useNotifications } from '../notifications/use-notifications.ts'
import { usePolledJobs } from '../notifications/use-polled-jobs.ts'
import { PageHeader } from '../page-header.tsx'
import { Status } from '../status.tsx'
import { AdminApiContext, useNewAdminApi } from './admin-api.ts'
import { AdminSections } from './admin-sections.tsx'
import { FailureNotice } from './failure-notice.tsx'
import { SignInForm } from './session/sign-in-form.tsx'
import { SwitchedOff } from './session/switched-off.tsx'
import { useAdminSession } from './session/use-admin-session.ts'

/** The page for keys, budgets and usage. It uses only the gateway's public API. */
export function AdminPage() {
  const notificationBadge = useNotifications(usePolledJobs())
  const [announcement, announce] = useState('')
  return (
    <div className="flex min-h-dvh flex-col">
      <PageHeader at="/admin" finished={notificationBadge.count} />
      <main id="main" tabIndex={-1} className="column flex-1 pt-4 pb-16">
        <CurrentSession announce={announce} />
      </main>
      <Status words={[announcement, notificationBadge.announcement]} />
    </div>
  )
}

function CurrentSession({ announce }: { announce: (message: string) => void }) {
  const { session, check, end, enter, leave } = useAdminSession()
  const api = useNewAdminApi({ onEnded: end, announce })
  switch (session.state) {
    case 'checking':
      return <p className="text-muted">Checking your session…</p>
    case 'failed':
      return <FailureNotice failure={session.failure} onRetry={() => void check()} />
    case 'switched-off':
      return <SwitchedOff message={session.message} onRetry={() => void check()} />
    case 'signed-out':
      return <SignInForm notice={session.notice} onSignIn={enter} />
    case 'signed-in':
      return (
        <AdminApiContext value={api}>
          <AdminSections admin={session.admin} onSignOut={leave} />
        </AdminApiContext>
      )
  }
}
