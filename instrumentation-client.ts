import { startReporting } from './app/sentry/report.ts'

/** This module may run while the document is still arriving; the layout's `sentry-dsn` may not be there yet. */
if (document.readyState === 'loading') addEventListener('DOMContentLoaded', startIfWanted)
else startIfWanted()

function startIfWanted(): void {
  const dsn = document.querySelector<HTMLMetaElement>('meta[name="sentry-dsn"]')?.content
  if (dsn) startReporting(dsn)
}
