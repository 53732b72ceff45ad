import type { Page } from '@playwright/test'
import { CuttingProxy } from '../support/cutting-proxy.ts'
import { test as base, expect } from './support/parley.ts'
import { SERVERS } from './support/servers.ts'

/** The page behind a network that breaks. */
const test = base.extend<{ network: CuttingProxy }>({
  network: async ({ parley }, use) => {
    const network = await CuttingProxy.start(SERVERS.open.url)
    await parley.open(network.url)
    await use(network)
    await network.stop()
  },
})

const NUMBERS = Array.from({ length: 600 }, (_, number) => `${number}é`).join(' ')
const LOST = 'Connection lost. Reconnecting…'

test('goes on where a lost connection ended, without a character lost or doubled', async ({
  parley,
  network,
}) => {
  network.cutAfter(2_000, 3_333, 4_001, 7_777)
  await parley.discuss(NUMBERS, 'mock/echo')
  await expect(parley.answer.locator('p').first()).toHaveText(NUMBERS)
  expect(network.cuts).toBe(4)
  await expect(parley.status).toHaveText('The answer is complete.')
})

test('says quietly that the connection is lost, and when it is back', async ({ parley, network }) => {
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toContainText('You asked')
  network.cut({ next: 'swallowed' })
  await expect(parley.status).toHaveText(LOST)
  await expect(parley.answer).toContainText(LOST)
  await expect(parley.answer).toContainText('You asked')
  network.cut({ next: 'let through' })
  await expect(parley.status).toHaveText('Reconnected.')
  await expect(parley.answer).not.toContainText(LOST)
  await expect(parley.answer).toHaveAttribute('data-state', 'streaming')
})

test('can be used by everyone while the connection is lost, in light, in dark and at 320 px', async ({
  everyLook,
  parley,
  network,
}) => {
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toContainText('You asked')
  network.cut({ next: 'swallowed' })
  await expect(parley.answer).toContainText(LOST)
  await everyLook('connection lost')
})

test('stops an answer at the gateway, and keeps all that the gateway had of it', async ({
  parley,
  network: _,
}) => {
  await parley.ask('Go on', 'mock/long')
  await expect(parley.answer).toContainText('Line 9 of')
  const told = await stopping(parley.page, () => parley.stop.click())
  expect(told.stopped).toBe(true)
  await expect(parley.answer).toHaveAttribute('data-state', 'stopped')
  await expect(parley.answer.locator('p').first()).toHaveText(told.content.trim())
})

test('stops an answer also while its connection is gone', async ({ parley, network }) => {
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toContainText('You asked')
  network.cut({ next: 'swallowed' })
  await expect(parley.status).toHaveText(LOST)
  const told = await stopping(parley.page, () => parley.page.keyboard.press('Escape'))
  expect(told).toMatchObject({ stopped: true, content: expect.stringMatching(/^You asked/) })
  await expect(parley.status).toHaveText('The answer was stopped.')
})

test('stops with what has come where the gateway is out of reach', async ({ parley, network, context }) => {
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toContainText('You asked')
  await context.setOffline(true)
  network.cut({ next: 'swallowed' })
  await expect(parley.status).toHaveText(LOST)
  await parley.stop.click()
  await expect(parley.answer).toHaveAttribute('data-state', 'stopped')
  await expect(parley.answer).toContainText('You asked')
  await expect(parley.send).toBeVisible()
})

test('leaves the upstream once a new chat can no longer be undone, after 15 s', async ({
  parley,
  page,
  network,
}) => {
  await page.clock.install()
  await parley.open(network.url)
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toHaveAttribute('data-state', 'streaming')
  const told = await stopping(page, async () => {
    await page.getByRole('button', { name: 'New chat' }).click()
    await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible()
    await page.clock.fastForward(15_000)
  })
  expect(told.stopped).toBe(true)
  await expect(parley.page.locator('[data-state]')).toHaveCount(0)
})

test('keeps what has come of an answer that the gateway no longer has, and offers another try', async ({
  parley,
  network,
}) => {
  await parley.page.route('**/api/chat/*/stream', route => route.fulfill({ status: 404, json: {} }))
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toContainText('You asked')
  network.cut({ next: 'let through' })
  await expect(parley.answer).toHaveAttribute('data-state', 'failed')
  await expect(parley.answer).toContainText('You asked')
  await expect(parley.answer).toContainText('The connection was lost before the answer was complete.')

  await parley.choose('mock/echo')
  await parley.page.getByRole('button', { name: 'Try again' }).click()
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
})

test('takes an answer that the gateway does not keep as it comes, and does not come back for it', async ({
  parley,
  network,
}) => {
  await parley.page.route('**/api/chat', route => {
    const { 'x-gateway-resume': _, ...headers } = route.request().headers()
    return route.continue({ headers })
  })
  const later: string[] = []
  parley.page.on('request', request => later.push(new URL(request.url()).pathname))
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toContainText('You asked')
  network.cut({ next: 'let through' })
  await expect(parley.answer).toHaveAttribute('data-state', 'failed')
  await expect(parley.answer).toContainText('You asked')
  expect(later.filter(path => path.startsWith('/api/chat/'))).toEqual([])
})

test('leaves its answer to the gateway’s grace when the page is left', async ({ parley, network }) => {
  const later: string[] = []
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toHaveAttribute('data-state', 'streaming')
  expect(network.streams).toBe(1)
  parley.page.on('request', request => later.push(new URL(request.url()).pathname))
  await parley.page.goto('about:blank')
  await expect.poll(() => network.streams).toBe(0)
  expect(later.filter(path => path.startsWith('/api/'))).toEqual([])
})

/** What the gateway tells when an answer is stopped. */
async function stopping(
  page: Page,
  act: () => Promise<void>,
): Promise<{ stopped: boolean; content: string }> {
  const [response] = await Promise.all([page.waitForResponse('**/api/chat/*/stop'), act()])
  return response.json()
}
