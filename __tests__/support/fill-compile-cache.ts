import { existsSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { GatewayProcess } from './gateway.ts'

/**
 * Fills the project's compile cache, if it is empty, by one gateway that starts and stops: Node writes the cache when
 * a process exits, which one that is killed at the end of a test does not do.
 */
export default async ({ config }: TestProject): Promise<void> => {
  const { NODE_COMPILE_CACHE = '' } = config.env
  if (existsSync(NODE_COMPILE_CACHE)) return
  const gateway = await GatewayProcess.start('native', { NODE_COMPILE_CACHE, SHUTDOWN_GRACE_SECONDS: '0' })
  gateway.signal('SIGTERM')
  await gateway.exited()
}
