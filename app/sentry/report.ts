/** Present once reporting was asked for; without a DSN not one byte of the SDK is loaded. */
let sentry: Promise<typeof import('./browser.ts')> | undefined

export function startReporting(dsn: string): void {
  sentry = import('./browser.ts')
  sentry.then(
    ({ start }) => start(dsn),
    () => undefined,
  )
}

/** Reports what React caught; errors nobody caught are seen by the SDK itself. */
export function reportError(error: unknown): void {
  sentry?.then(
    ({ captureException }) => captureException(error),
    () => undefined,
  )
}
