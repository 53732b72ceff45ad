import { spawn } from 'node:child_process'
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

/** Builds the web pages where they were never built, or their sources have changed since. */
export const ensureBuilt = async (root: string): Promise<void> => {
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
  const [code] = await once(build, 'exit')
  if (code !== 0) throw new Error(`The web pages could not be built (next build ended with ${code}).`)
  writeFileSync(join(root, STAMP), inputs)
}
