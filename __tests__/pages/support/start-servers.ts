import { ensureBuilt } from '#lib/native/console-build.ts'
import { GatewayProcess, ROOT } from '../../support/gateway.ts'
import { isFree } from '../../support/ports.ts'
import { SERVERS, type Server } from './servers.ts'

const ENV = {
  ENABLE_CONSOLE: 'true',
  DEFAULT_MODEL: 'mock',
  LOG_LEVEL: 'error',
  MOCK_LATENCY_MS: '100',
  MOCK_CHUNK_MS: '4',
  RATE_LIMIT_REST: '10000/1m',
}

const start = async ({ url, env }: Server): Promise<GatewayProcess> => {
  const port = Number(new URL(url).port)
  // Another process there would be tested in its place.
  if (!(await isFree(port))) throw new Error(`Port ${port} is in use.`)
  return GatewayProcess.start('native', { ...ENV, ...env }, { port })
}

/** Starts the gateways that all workers share, side by side. @returns a function that ends them, without grace */
export default async (): Promise<() => Promise<void>> => {
  await ensureBuilt(ROOT)
  const starts = await Promise.allSettled(Object.values(SERVERS).map(start))
  const stop = async (): Promise<void> => {
    for (const result of starts) if (result.status === 'fulfilled') await result.value.stop()
  }
  const failure = starts.find(result => result.status === 'rejected')
  if (!failure) return stop
  await stop()
  throw failure.reason
}
