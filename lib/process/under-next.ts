import { join } from 'node:path'
import { loadEnvFiles } from '../config/env-files.ts'
import { gateway, isRunning } from '../gateway/index.ts'
import { guardEveryServer } from '../http/server/every-server.ts'
import { announcePeerAddresses } from '../http/transport.ts'
import { logConsole } from './console-log.ts'
import { logUncaught, stopOnSignals } from './signals.ts'
import { failToStart } from './start-failure.ts'

/**
 * The counterpart of `server.ts` for `next start` and `next dev`, as far as they allow it. Does nothing in the native
 * server itself, where Next only serves the pages.
 */
export const startUnderNext = async (): Promise<void> => {
  if (isRunning()) return
  announcePeerAddresses()
  // Next reads them too, but not in UTF-16.
  loadEnvFiles()
  try {
    const { env, lifecycle, clock, logger, errors } = await gateway()
    logUncaught({ logger, errors })
    // `next dev` keeps a web socket of its own to the page, and prints readable text.
    if (env.NODE_ENV !== 'development') {
      guardEveryServer(join(process.cwd(), '.next'))
      logConsole(logger)
    }
    if (env.NEXT_MANUAL_SIG_HANDLE)
      stopOnSignals({
        lifecycle,
        clock,
        graceMs: env.SHUTDOWN_GRACE_SECONDS * 1000,
        close: () => {},
        reloadsOnHangup: env.GATEWAY_CONFIG !== undefined,
        logger,
        errors,
      })
  } catch (error) {
    failToStart(error)
  }
}

/** Reports a page that failed to render. */
export const reportPageError = async (error: unknown, route: string): Promise<void> => {
  const { errors, logger } = await gateway()
  logger.error({ err: error, route }, 'a page failed to render')
  errors.capture(error, { route })
}
