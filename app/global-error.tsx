'use client'

import { useEffect } from 'react'
import './globals.css'
import { reportError } from './sentry/report.ts'

type Props = { error: unknown; retry: () => void }

/** Replaces the whole document when even the layout failed. */
export default function GlobalError({ error, retry }: Props) {
  useEffect(() => reportError(error), [error])
  const digest = (error as { digest?: string } | undefined)?.digest
  return (
    <html lang="en">
      <body>
        <title>Something went wrong · Parley</title>
        <main className="column flex min-h-dvh flex-col justify-center">
          <h1 className="font-serif text-3xl tracking-tight text-balance">Something went wrong</h1>
          <p className="mt-3 max-w-prose text-muted">
            This wasn’t caused by anything you did. Try again; if that doesn’t help, reload the page.
          </p>
          {digest && (
            <p className="mt-3 text-sm text-muted">
              Reference <code>{digest}</code>
            </p>
          )}
          <p className="mt-6">
            <button type="button" className="solid-button" onClick={retry}>
              Try again
            </button>
          </p>
        </main>
      </body>
    </html>
  )
}
