import { ConfigurationError } from '#lib/config/env.ts'
import { gateway } from '#lib/gateway/index.ts'
import { stopOnSignals } from '#lib/gateway/signals.ts'
import { loadEnvFiles } from '#lib/native/env-files.ts'
import { say } from '#lib/native/welcome.ts'

const HOUR_MS = 3_600_000

/** Works through batches, and serves nobody. Needs the records and the Redis of those who take them. */
const start = async (): Promise<void> => {
  loadEnvFiles()
  const { env, logger, errors, lifecycle, health } = await gateway()
  if (!env.ENABLE_BATCH || !env.BATCH_WORKER)
    throw new ConfigurationError(['  a worker needs ENABLE_BATCH and BATCH_WORKER, which are on when unset'])
  // Nothing else of it would keep the process alive.
  const alive = setInterval(() => {}, HOUR_MS)
  stopOnSignals({
    lifecycle,
    graceMs: env.SHUTDOWN_GRACE_SECONDS * 1000,
    close: () => clearInterval(alive),
    logger,
    errors,
  })
  const { records } = health().services
  say(`Parley's worker is running: ${env.BATCH_CONCURRENCY} items at a time; records ${records?.message}.`)
}

start().catch((error: unknown) => {
  say(error instanceof ConfigurationError ? error.message : String((error as Error).stack ?? error))
  process.exit(1)
})
