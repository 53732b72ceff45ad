import { ConfigurationError } from '#lib/config/env.ts'
import { loadEnvFiles } from '#lib/config/env-files.ts'
import { gateway } from '#lib/gateway/index.ts'
import { say } from '#lib/native/welcome.ts'
import { npmParent } from '#lib/process/npm-parent.ts'
import { logUncaught, stopOnSignals } from '#lib/process/signals.ts'
import { failToStart } from '#lib/process/start-failure.ts'

const HOUR_MS = 3_600_000

/** Runs batch items, and listens on no port. Needs the database and the Redis of the gateways. */
const start = async (): Promise<void> => {
  const npm = npmParent()
  loadEnvFiles()
  const { env, clock, logger, errors, lifecycle, health } = await gateway()
  logUncaught({ logger, errors })
  if (!env.ENABLE_BATCH || !env.BATCH_WORKER)
    throw new ConfigurationError(['  a worker needs ENABLE_BATCH and BATCH_WORKER, which are on when unset'])
  // Nothing else keeps the process alive.
  const alive = setInterval(() => {}, HOUR_MS)
  stopOnSignals({
    lifecycle,
    clock,
    graceMs: env.SHUTDOWN_GRACE_SECONDS * 1000,
    close: () => clearInterval(alive),
    reloadsOnHangup: env.GATEWAY_CONFIG !== undefined,
    npm,
    logger,
    errors,
  })
  const { records } = health().services
  say(`Parley's worker is running: ${env.BATCH_CONCURRENCY} items at a time; database ${records?.message}.`)
}

start().catch(failToStart)
