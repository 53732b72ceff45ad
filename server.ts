import { once } from 'node:events'
import { join } from 'node:path'
import { ConfigurationError } from '#lib/config/env.ts'
import { gateway } from '#lib/gateway/index.ts'
import { stopOnSignals } from '#lib/gateway/signals.ts'
import { noConsole, startConsole } from '#lib/native/console.ts'
import { ensureBuilt } from '#lib/native/console-build.ts'
import { loadEnvFiles } from '#lib/native/env-files.ts'
import { nativeServer } from '#lib/native/host.ts'
import { readRouteTable } from '#lib/native/route-table.ts'
import { say, welcome } from '#lib/native/welcome.ts'

const root = import.meta.dirname
/** Connections that may wait to be taken; with Node's 511, of thousands at once many are tried again after seconds. */
const BACKLOG = 8_192

const start = async (): Promise<void> => {
  loadEnvFiles()
  const { env, logger, errors, lifecycle, catalog } = await gateway()
  if (env.ENABLE_CONSOLE) await ensureBuilt(root)
  const routes = await readRouteTable(join(root, 'app'))
  const server = nativeServer(routes, env.ENABLE_CONSOLE ? startConsole(root) : noConsole)
  stopOnSignals({
    lifecycle,
    graceMs: env.SHUTDOWN_GRACE_SECONDS * 1000,
    close: () => {
      server.close()
      server.closeIdleConnections()
    },
    logger,
    errors,
  })
  server.listen({ port: env.PORT, host: env.HOST, backlog: BACKLOG })
  await once(server, 'listening')
  welcome(server, catalog, env)
}

start().catch((error: unknown) => {
  const known = error instanceof ConfigurationError || (error as { code?: string }).code === 'EADDRINUSE'
  say(known ? (error as Error).message : String((error as Error).stack ?? error))
  process.exit(1)
})
