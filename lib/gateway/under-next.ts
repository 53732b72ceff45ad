import { ConfigurationError } from '../config/env.ts'
import { announcePeerAddresses } from '../http/peer-address.ts'
import { beginRequestsInTurns } from '../http/requests-in-turns.ts'
import { gateway, isRunning } from './index.ts'
import { stopOnSignals } from './signals.ts'

/**
 * What `server.ts` does for the native host, as far as `next start` and `next dev` let it be done. Nothing in the
 * native host itself, where Next only serves the pages.
 */
export const startUnderNext = async (): Promise<void> => {
  if (isRunning()) return
  announcePeerAddresses()
  beginRequestsInTurns()
  try {
    const { env, lifecycle, logger, errors } = await gateway()
    if (env.NEXT_MANUAL_SIG_HANDLE)
      stopOnSignals({
        lifecycle,
        graceMs: env.SHUTDOWN_GRACE_SECONDS * 1000,
        close: () => {},
        logger,
        errors,
      })
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}

/** Reports a page that failed to render. */
export const reportPageError = async (error: unknown, route: string): Promise<void> => {
  const { errors, logger } = await gateway()
  logger.error({ err: error, route }, 'a page failed to render')
  errors.capture(error, { route })
}
