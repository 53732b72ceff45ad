import { once } from 'node:events'
import type { Server } from 'node:http'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { loadEnvFiles } from '#lib/config/env-files.ts'
import { gateway } from '#lib/gateway/index.ts'
import { noConsole, startConsole } from '#lib/native/console.ts'
import { ensureBuilt } from '#lib/native/console-build.ts'
import { nativeServer, readRouteTable } from '#lib/native/server.ts'
import { welcome } from '#lib/native/welcome.ts'
import { logConsole } from '#lib/process/console-log.ts'
import { npmParent } from '#lib/process/npm-parent.ts'
import { logUncaught, stopOnSignals } from '#lib/process/signals.ts'
import { failToStart } from '#lib/process/start-failure.ts'

/** The project's folder, in which the web pages are built. The bundle's programs are in a folder of it (scripts/bundle.ts). */
const project = dirname(findPackageJSON(import.meta.url) ?? import.meta.filename)
/**
 * The listen backlog; with Node's default of 511, many of thousands of simultaneous connections are retried only after
 * seconds.
 */
const BACKLOG = 8_192

const start = async (): Promise<void> => {
  const npm = npmParent()
  loadEnvFiles()
  const { env, clock, logger, errors, lifecycle, catalog } = await gateway()
  logUncaught({ logger, errors })
  if (env.NODE_ENV !== 'development') logConsole(logger)
  if (env.ENABLE_CONSOLE) await ensureBuilt(project, npm?.ended)
  const routes = await readRouteTable(join(import.meta.dirname, 'app'))
  const server: Server = env.ENABLE_CONSOLE
    ? nativeServer(routes, startConsole(project), join(project, '.next'))
    : nativeServer(routes, noConsole)
  stopOnSignals({
    lifecycle,
    clock,
    graceMs: env.SHUTDOWN_GRACE_SECONDS * 1000,
    close: () => {
      server.close()
      server.closeIdleConnections()
    },
    reloadsOnHangup: env.GATEWAY_CONFIG !== undefined,
    npm,
    logger,
    errors,
  })
  server.listen({ port: env.PORT, host: env.HOST, backlog: BACKLOG })
  await once(server, 'listening')
  welcome(server, catalog, env)
}

start().catch(failToStart)
