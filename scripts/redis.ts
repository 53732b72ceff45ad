import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { run, say } from './step.ts'

const isThere = (): boolean => spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0

/**
 * Makes sure that there is a redis-server for the tests of shared state: Debian's, installed by apt where
 * that is allowed. The tests start and stop their own; none is left running.
 * @throws Error that says what is missing and how to get it.
 */
export const ensureRedis = async (): Promise<void> => {
  if (isThere()) return
  const missing =
    'The tests of shared state need “redis-server” on the PATH; it is not there. Install Debian’s package “redis-server” and try again.'
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(missing)
  say('Installing redis-server for the tests of shared state …')
  const quiet = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  await run('apt-get', ['update', '-qq'], quiet)
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], quiet)
  if (!isThere()) throw new Error(missing)
}
