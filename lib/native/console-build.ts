import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { say } from './welcome.ts'

const INPUTS = [
  'app/**',
  'lib/**',
  'middleware.ts',
  'instrumentation*.ts',
  'next.config.ts',
  'postcss.config.mjs',
  'package-lock.json',
  'tsconfig.json',
]
const STAMP = '.next/parley-build-inputs'

const fingerprint = (root: string): string => {
  const hash = createHash('sha256')
  for (const file of globSync(INPUTS, { cwd: root }).toSorted()) {
    const path = join(root, file)
    if (statSync(path).isFile()) hash.update(file).update('\0').update(readFileSync(path)).update('\0')
  }
  return hash.digest('hex')
}

const stampOf = (root: string): string | undefined => {
  const path = join(root, STAMP)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

const STOPPING = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 } as const

/** Ends the build together with this process, which it would outlive. @returns a function that undoes this */
const endWith = (build: ChildProcess, signal: AbortSignal | undefined): (() => void) => {
  const kill = () => build.kill()
  const end = () => process.exit(1)
  const handlers = Object.entries(STOPPING).map(
    ([name, number]) => [name, () => process.exit(128 + number)] as const,
  )
  process.on('exit', kill)
  signal?.addEventListener('abort', end)
  for (const [name, handler] of handlers) process.on(name, handler)
  return () => {
    process.off('exit', kill)
    signal?.removeEventListener('abort', end)
    for (const [name, handler] of handlers) process.off(name, handler)
  }
}

/**
 * Builds the web pages if they are not built, or their sources have changed since.
 *
 * @param signal ends the process, the build included
 */
export const ensureBuilt = async (root: string, signal?: AbortSignal): Promise<void> => {
  if (!existsSync(join(root, 'app'))) return
  const inputs = fingerprint(root)
  if (stampOf(root) === inputs) return
  say('Building the web pages; this happens once after each change of the sources (about half a minute) …')
  const bin = join(root, 'node_modules/next/dist/bin/next')
  const build = spawn(process.execPath, [bin, 'build'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const built = endWith(build, signal)
  const [code] = await once(build, 'exit')
  built()
  if (code !== 0) throw new Error(`The web pages could not be built (next build ended with ${code}).`)
  writeFileSync(join(root, STAMP), inputs)
}
