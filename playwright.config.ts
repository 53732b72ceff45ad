import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, devices } from '@playwright/test'
import { SERVERS } from './__tests__/pages/support/servers.ts'

/**
 * Debian's Chromium: Playwright's own download is not available everywhere. Its headless shell, where installed
 * (`apt-get install chromium-headless-shell`), opens a page three times as fast.
 */
const CHROMIUM = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find(path => existsSync(path))

// Gateways start in two thirds of the CPU time with it; here, because the workers that start some of them inherit it.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/parley-tests')

/** What measures how long the page makes its user wait: it runs alone, after all others. */
const MEASURED = 'responsive.spec.ts'

/** The pages in a real browser against the real gateway with the mock provider. */
export default defineConfig({
  testDir: '__tests__/pages',
  projects: [
    { name: 'pages', testMatch: '*.spec.ts', testIgnore: MEASURED },
    { name: 'measured', testMatch: MEASURED, dependencies: ['pages'] },
  ],
  globalSetup: ['./__tests__/support/bundle.ts', './__tests__/pages/support/start-servers.ts'],
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  workers: 2,
  // Generous time limits: the pages' speed is not tested, and a shared machine may stall for long.
  timeout: 300_000,
  expect: { timeout: 90_000 },
  reporter: 'list',
  use: {
    ...devices['Desktop Chrome'],
    colorScheme: 'light',
    baseURL: SERVERS.open.url,
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(CHROMIUM && { executablePath: CHROMIUM }),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
})
