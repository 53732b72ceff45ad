import { keptAlive } from '../clock.ts'
import type { Logger } from '../observability/logger.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { Lifecycle } from './lifecycle.ts'

export type StopOptions = Readonly<{
  lifecycle: Lifecycle
  graceMs: number
  /** Takes no more connections. */
  close: () => void
  logger: Logger
  errors: ErrorReporter
}>

const FLUSH_MS = 1_000

/** Ends the process when what was logged and reported has been sent, or after a second. */
const exit = async (code: number, { logger, errors }: StopOptions): Promise<never> => {
  setTimeout(() => process.exit(code), FLUSH_MS)
  await errors.flush(FLUSH_MS)
  await new Promise<void>(resolve => logger.flush(() => resolve()))
  process.exit(code)
}

/**
 * SIGTERM and SIGINT stop the gateway gently and exit with 0; a second one exits at once, with the signal's
 * number as shells count it. What nobody caught is logged; after an exception of that kind the process ends.
 */
export const stopOnSignals = (options: StopOptions): void => {
  const { lifecycle, graceMs, close, logger, errors } = options
  let stopping = false
  const onSignal = (signal: NodeJS.Signals, number: number) => {
    if (stopping) process.exit(128 + number)
    stopping = true
    // Whoever types Ctrl-C has no load balancer to wait for.
    const notice = signal === 'SIGINT' ? 0 : undefined
    void keptAlive(lifecycle.stop(graceMs, close, notice)).then(() => exit(0, options))
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('unhandledRejection', err => {
    logger.error({ err }, 'a rejection that nobody handled')
    errors.capture(err, { route: 'process' })
  })
  process.on('uncaughtException', err => {
    logger.fatal({ err }, 'an exception that nobody caught')
    errors.capture(err, { route: 'process' })
    void exit(1, options)
  })
}
