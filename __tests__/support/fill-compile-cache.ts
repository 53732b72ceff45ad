import { existsSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { post } from './chat.ts'
import { GatewayProcess, HOSTS } from './gateway.ts'

/** Nothing listens there: what is needed to speak with a provider or a Redis is loaded all the same. */
const NOWHERE = {
  OPENAI_API_KEY: 'sk-test',
  OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
  REDIS_URL: 'redis://127.0.0.1:9',
}

/**
 * Fills the project's compile cache, if it is empty, by a gateway of each kind that starts, answers and stops: Node
 * writes the cache when a process exits, which one that is killed at the end of a test does not do.
 */
export default async ({ config }: TestProject): Promise<void> => {
  const { NODE_COMPILE_CACHE = '' } = config.env
  if (existsSync(NODE_COMPILE_CACHE)) return
  const fill = async (host: (typeof HOSTS)[number]): Promise<void> => {
    const env = { ...NOWHERE, NODE_COMPILE_CACHE, SHUTDOWN_GRACE_SECONDS: '0' }
    const gateway = await GatewayProcess.start(host, env)
    await (await post(gateway.url, { prompt: 'Hi', model: 'mock/echo' })).text()
    gateway.signal('SIGTERM')
    await gateway.exited()
  }
  await Promise.all(HOSTS.map(fill))
}
