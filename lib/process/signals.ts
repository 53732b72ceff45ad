import type { Clock } from '../clock.ts'
import { drainConnections } from '../http/server/connections.ts'
import type { Logger } from '../observability/logger.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { NpmParent } from './npm-parent.ts'

type Reporters = Readonly<{ logger: Logger; errors: ErrorReporter }>

export type StopOptions = Reporters &
  Readonly<{
    lifecycle: Lifecycle
    clock: Clock
    graceMs: number
    /** Stops accepting connections. */
    close: () => void
    /** Whether SIGHUP reloads a configuration file, and so does not stop the gateway. */
    reloadsOnHangup: boolean
    /** The npm that runs this process; absent where there is none, or it is unknown. */
    npm?: NpmParent | undefined
  }>

const FLUSH_MS = 1_000
/** Within it, a repeated signal is npm forwarding one that its whole process group has received. */
const HANDED_ON_WITHIN_MS = 1_000

/** Ends the process when pending logs and reports have been sent, or after a second. */
const exit = async (code: number, { logger, errors }: Reporters): Promise<never> => {
  setTimeout(() => process.exit(code), FLUSH_MS)
  await errors.flush(FLUSH_MS)
  await new Promise<void>(resolve => logger.flush(() => resolve()))
  process.exit(code)
}

/** Logs and reports uncaught errors; after an uncaught exception the process ends with 1. */
export const logUncaught = (reporters: Reporters): void => {
  const { logger, errors } = reporters
  process.on('unhandledRejection', err => {
    logger.error({ err }, 'unhandled promise rejection')
    errors.capture(err, { route: 'process' })
  })
  process.on('uncaughtException', err => {
    logger.fatal({ err }, 'uncaught exception')
    errors.capture(err, { route: 'process' })
    void exit(1, reporters)
  })
}

/**
 * SIGTERM, SIGINT, SIGHUP (unless it reloads the configuration) and the end of the npm that runs this process stop
 * the gateway gently; it exits with 0. A second signal exits at once, with the signal's number as shells count it.
 */
export const stopOnSignals = (options: StopOptions): void => {
  const { lifecycle, clock, graceMs, close, npm } = options
  let first: Readonly<{ signal: NodeJS.Signals; at: number }> | undefined
  const stop = (noticeMs?: number): void => {
    // The gateway's own timers do not keep the process alive: without sockets it would end before its last lines.
    setInterval(() => {}, graceMs + FLUSH_MS)
    drainConnections()
    void lifecycle.stop(graceMs, close, noticeMs).then(() => exit(0, options))
  }
  const isHandedOn = (signal: NodeJS.Signals): boolean =>
    npm !== undefined && first?.signal === signal && clock.now() - first.at < HANDED_ON_WITHIN_MS
  const onSignal = (signal: NodeJS.Signals, number: number): void => {
    if (isHandedOn(signal)) return
    if (first) process.exit(128 + number)
    first = { signal, at: clock.now() }
    // Only SIGTERM comes from where a load balancer may still be sending requests.
    stop(signal === 'SIGTERM' ? undefined : 0)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  if (!options.reloadsOnHangup) process.on('SIGHUP', onSignal)
  npm?.ended.addEventListener('abort', () => {
    if (!first) stop(0)
  })
}
