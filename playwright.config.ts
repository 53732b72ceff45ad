import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
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

/** Tests that do not depend on colours and width: they run in the light project alone. */
const ANY_LOOK = /@any-look/

/** The pages in a real browser against the real gateway with the mock provider. */
export default defineConfig({
  testDir: '__tests__/pages',
  testMatch: '*.spec.ts',
  globalSetup: './__tests__/support/bundle.ts',
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  workers: 2,
  // Generous time limits: the pages' speed is not tested, and a shared machine may stall for long.
  timeout: 300_000,
  expect: { timeout: 90_000 },
  reporter: 'list',
  use: {
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
  projects: [
    {
      name: 'light',
      testIgnore: 'narrow.spec.ts',
      use: { ...devices['Desktop Chrome'], colorScheme: 'light' },
    },
    {
      name: 'dark',
      testMatch: [
        'accessibility.spec.ts',
        'admin-looks.spec.ts',
        'batch-looks.spec.ts',
        'docs.spec.ts',
        'evaluations.spec.ts',
        'lost-connection.spec.ts',
      ],
      grepInvert: ANY_LOOK,
      use: { ...devices['Desktop Chrome'], colorScheme: 'dark' },
    },
    {
      name: '320 px',
      testMatch: [
        'accessibility.spec.ts',
        'admin-looks.spec.ts',
        'batch-looks.spec.ts',
        'docs.spec.ts',
        'evaluations.spec.ts',
        'following.spec.ts',
        'lost-connection.spec.ts',
        'narrow.spec.ts',
      ],
      grepInvert: ANY_LOOK,
      use: { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, colorScheme: 'light' },
    },
  ],
  webServer: Object.values(SERVERS).map(({ url, env }) => ({
    command: 'node_modules/.bin/node server.ts',
    url: `${url}/api/health/live`,
    // The first one builds the pages if they are older than their sources.
    timeout: 1_200_000,
    stdout: 'ignore' as const,
    gracefulShutdown: { signal: 'SIGTERM' as const, timeout: 5_000 },
    env: {
      NODE_ENV: 'production',
      PORT: new URL(url).port,
      DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-pages-')),
      DEFAULT_MODEL: 'mock',
      LOG_LEVEL: 'error',
      MOCK_LATENCY_MS: '100',
      MOCK_CHUNK_MS: '4',
      RATE_LIMIT_REST: '10000/1m',
      ...env,
    },
  })),
})
