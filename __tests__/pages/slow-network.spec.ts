import { expect, test } from './support/parley.ts'

/** Slow 3G as in Chromium's developer tools. */
const SLOW_3G = {
  offline: false,
  latency: 400,
  downloadThroughput: 400_000 / 8,
  uploadThroughput: 400_000 / 8,
}
/** Three seconds of slow 3G. */
const MOST_BYTES = 157_000
/** The page and its styles, after which a question can be typed and sent: a third of a second. */
const MOST_FIRST_BYTES = 17_000

type Loaded = { name: string; bytes: number; startedAt: number }

test('on slow 3G with a CPU four times slower, a question sent as soon as the composer is there is answered', async ({
  parley,
  page,
}, info) => {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', SLOW_3G)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 })
  await page.goto('/', { waitUntil: 'commit' })
  await parley.composer.pressSequentially('Hello!')
  await parley.composer.press('Enter')
  const sentMs = await page.evaluate(() => performance.now())
  await expect(page.getByText('Sending…')).toBeVisible()
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  const answeredMs = await page.evaluate(() => performance.now())
  info.annotations.push({
    type: 'slow 3G, 4 × CPU',
    description: `sent after ${Math.round(sentMs)} ms, answered after ${Math.round(answeredMs)} ms`,
  })
  await expect(parley.answer).toContainText('Hello!')
})

test('on slow 3G a question can be sent after 17 kB, the page and its scripts are at most 157 kB, and no font is loaded before them', async ({
  parley,
  page,
}, info) => {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', SLOW_3G)
  const opened = await page.goto('/', { waitUntil: 'commit' })
  await parley.composer.fill('Hello!')
  await expect(parley.send).toBeEnabled()
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
  const first = before.filter(({ name }) => !name.endsWith('.js'))
  const fonts = loaded.filter(({ name }) => name.endsWith('.woff2'))
  const bytes = before.reduce((sum, file) => sum + file.bytes, 0)
  info.annotations.push({
    type: 'slow 3G',
    description: `usable after ${Math.round(usableMs)} ms and ${(bytes / 1_000).toFixed(1)} kB`,
  })
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES)
  expect(first.length).toBe(2)
  expect(first.reduce((sum, file) => sum + file.bytes, 0)).toBeLessThanOrEqual(MOST_FIRST_BYTES)
  expect(before.length).toBeGreaterThan(5)
  expect(fonts).not.toEqual([])
  const lastAt = Math.max(...before.map(({ startedAt }) => startedAt))
  expect(fonts.filter(({ startedAt }) => startedAt < lastAt)).toEqual([])
})
