import { existsSync } from 'node:fs'
import { run, say } from './step.ts'

const CHROMIUM = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium']

const isThere = (): boolean => CHROMIUM.some(path => existsSync(path))

/**
 * Makes sure that there is a Chromium for the page tests: Debian's, installed by apt where that is allowed.
 * @throws Error that says what is missing and how to get it.
 */
export const ensureChromium = async (): Promise<void> => {
  if (isThere()) return
  const missing = `The page tests need ${CHROMIUM.join(' or ')}; neither is there. Install Debian's package “chromium-headless-shell” or “chromium” and try again.`
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(missing)
  say('Installing Chromium for the page tests …')
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-qq'], quiet)
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium-headless-shell'], quiet)
  if (!isThere()) throw new Error(missing)
}
