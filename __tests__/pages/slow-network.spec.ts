import { expect, test } from './support/parley.ts'

/** Slow 3G as in Chromium's developer tools. */
const SLOW_3G = {
  offline: false,
  latency: 400,
  downloadThroughput: 400_000 / 8,
  uploadThroughput: 400_000 / 8,
}
/** Three seconds of slow 3G. */
const MOST_BYTES = 155_000

type Loaded = { name: string; bytes: number; startedAt: number }

test('on slow 3G the page and its scripts are at most 155 kB, and no font is loaded before them @any-look', async ({
  parley,
  page,
}, info) => {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', SLOW_3G)
  const opened = await page.goto('/', { waitUntil: 'commit' })
  await expect(async () => {
    await parley.composer.fill('Hello!')
    await expect(parley.send).toBeEnabled({ timeout: 50 })
  }).toPass({ intervals: [50] })
  const usableMs = await page.evaluate(() => performance.now())
  await parley.send.click()
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await page.waitForFunction(() => [...document.fonts].some(({ status }) => status === 'loaded'))

  const loaded: Loaded[] = await page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map(
      entry => ({
        name: entry.name,
        bytes: (entry as PerformanceResourceTiming).transferSize,
        startedAt: entry.startTime,
      }),
    ),
  )
  const html = (await opened?.text()) ?? ''
  const before = loaded.filter(({ name }) => {
    const { pathname } = new URL(name)
    return pathname === '/' || (/\.(?:js|css)$/.test(pathname) && html.includes(pathname))
  })
  const fonts = loaded.filter(({ name }) => name.endsWith('.woff2'))
  const bytes = before.reduce((sum, file) => sum + file.bytes, 0)
  info.annotations.push({
    type: 'slow 3G',
    description: `usable after ${Math.round(usableMs)} ms and ${(bytes / 1_000).toFixed(1)} kB`,
  })
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES)
  expect(before.length).toBeGreaterThan(5)
  expect(fonts).not.toEqual([])
  const lastAt = Math.max(...before.map(({ startedAt }) => startedAt))
  expect(fonts.filter(({ startedAt }) => startedAt < lastAt)).toEqual([])
})
