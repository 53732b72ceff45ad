import { existsSync, globSync } from 'node:fs'
import { run, say } from './step.ts'

/** Debian's directory of the server's programs, which are not on the PATH; undefined where it is missing. */
export const postgresPrograms = (): string | undefined =>
  globSync('/usr/lib/postgresql/*/bin').find(directory => existsSync(`${directory}/initdb`))

/**
 * Makes sure that there is a Postgres for the tests of the records: Debian's, installed by apt where that is
 * allowed. The tests make and start their own; none is left running.
 * @throws Error that says what is missing and how to get it.
 */
export const ensurePostgres = async (): Promise<void> => {
  if (postgresPrograms()) return
  const missing =
    'The tests of the records need Postgres’ “initdb” below /usr/lib/postgresql; it is not there. Install Debian’s package “postgresql” and try again.'
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(missing)
  say('Installing postgresql for the tests of the records …')
  const quiet = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  await run('apt-get', ['update', '-qq'], quiet)
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql'], quiet)
  if (!postgresPrograms()) throw new Error(missing)
}
