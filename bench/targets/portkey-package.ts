import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const portkeyVersion = '1.15.2'

/**
 * Pins @hono/node-server: with one newer than in Portkey's own lockfile, which its range allows, every streamed
 * answer of this release is a 500: https://github.com/Portkey-AI/gateway/issues/1389. npx cannot hold it back,
 * `overrides` can.
 */
const manifest = {
  private: true,
  dependencies: { '@portkey-ai/gateway': portkeyVersion },
  overrides: { '@hono/node-server': '1.13.5' },
}

const directory = join('node_modules', '.cache', `portkey-${portkeyVersion}`)
const script = join(directory, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js')

/**
 * Fetches Portkey's gateway from npm, once, outside the project's dependencies; returns its script. Throws without npm.
 */
export async function fetchPortkey(): Promise<string> {
  if (existsSync(script)) return script
  process.stderr.write(`Fetching @portkey-ai/gateway ${portkeyVersion} from npm…\n`)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund']
  await promisify(execFile)('npm', install, { cwd: directory, timeout: 180_000 })
  return script
}
