import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startFromBundle } from './bundle.ts'
import { post } from './chat.ts'
import { GatewayProcess, HOSTS, ROOT } from './gateway.ts'

/** Nothing listens there: what is needed to speak with a provider or a Redis is loaded all the same. */
const NOWHERE = {
  OPENAI_API_KEY: 'sk-test',
  OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
  REDIS_URL: 'redis://127.0.0.1:9',
}

const isBuilt = existsSync(join(ROOT, '.next/BUILD_ID'))

/**
 * Bundles the sources, and fills the project's compile cache, if it is empty or older than the bundle, by a gateway of
 * each kind that starts, answers and stops: Node writes the cache when a process exits, which one that is killed at the
 * end of a test does not do.
 */
export default async ({ config }: TestProject): Promise<void> => {
  const { NODE_COMPILE_CACHE = '' } = config.env
  const hasChanged = await startFromBundle()
  if (!hasChanged && existsSync(NODE_COMPILE_CACHE)) return
  rmSync(NODE_COMPILE_CACHE, { recursive: true, force: true })
  const fill = async (host: (typeof HOSTS)[number]): Promise<void> => {
    const env = { ...NOWHERE, NODE_COMPILE_CACHE, SHUTDOWN_GRACE_SECONDS: '0' }
    const gateway = await GatewayProcess.start(host, env)
    await (await post(gateway.url, { prompt: 'Hi', model: 'mock/echo' })).text()
    gateway.signal('SIGTERM')
    await gateway.exited()
  }
  await Promise.all(HOSTS.filter(host => host === 'native' || isBuilt).map(fill))
}
