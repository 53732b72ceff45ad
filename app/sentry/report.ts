/** Present once reporting was requested; without a DSN the SDK is not loaded. */
let sentry: Promise<typeof import('./browser.ts')> | undefined

export function startReporting(dsn: string): void {
  sentry = import('./browser.ts')
  sentry.then(
    ({ start }) => start(dsn),
    () => undefined,
  )
}

/** Reports errors that React caught; the SDK itself reports uncaught ones. */
export function reportError(error: unknown): void {
  sentry?.then(
    ({ captureException }) => captureException(error),
    () => undefined,
  )
}
