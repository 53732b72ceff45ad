import type { Page } from '@playwright/test'
import { expect, test } from './support/parley.ts'
import { SERVERS } from './support/servers.ts'

test.describe('past the limit of two questions', () => {
  test.use({ baseURL: SERVERS.strict.url })

  test('keeps the draft on a Retry-After, counts it down, and sends it when the wait is over', async ({
    parley,
    page,
  }) => {
    await page.clock.install()
    await parley.open()
    await askElsewhere(page)
    await askElsewhere(page)
    await parley.ask('Three', 'mock/echo')

    const countdown = page.locator('[data-countdown]')
    await expect(countdown).toContainText(/You can send again in \d+ seconds?/)
    await expect(parley.composer).toHaveValue('Three')
    await expect(parley.send).toBeDisabled()
    await expect(page.locator('[data-state]')).toHaveCount(0)
    await expect(parley.status).toContainText('Your draft is kept.')

    await page.clock.fastForward(20_000)
    // The gateway's clock goes on as before: to it, this is another visitor, who may ask.
    await page.context().clearCookies()
    await expect(parley.status).toHaveText('You can send now.')
    await expect(countdown).toHaveCount(0)
    await parley.send.click()
    await expect(parley.answer).toContainText('Three')
    await expect(parley.answer).toHaveAttribute('data-state', 'done')
  })

  test('keeps the old answer when asking again has to wait', async ({ parley, page }) => {
    await parley.open()
    await askElsewhere(page)
    await parley.discuss('Two', 'mock/echo')
    await page.getByRole('button', { name: 'Ask again' }).click()

    await expect(page.locator('[data-countdown]')).toBeVisible()
    await expect(parley.answer).toHaveAttribute('data-state', 'done')
    await expect(parley.answer).toContainText('Two')
    await expect(parley.composer).toHaveValue('')
  })
})

test('waits as long as a busy provider asks before it offers another try', async ({ parley, page }) => {
  await page.clock.install()
  await parley.open()
  const error = { code: 'PROVIDER_RATE_LIMIT', message: 'Busy.', retryable: true, retryAfterSeconds: 600 }
  await page.route('**/api/chat', route => route.fulfill({ status: 503, json: { error } }))
  await parley.ask('Hello')
  await expect(page.getByRole('button', { name: 'Try again in 10 minutes' })).toBeDisabled()

  await page.clock.fastForward('10:00')
  await expect(page.getByRole('button', { name: 'Try again', exact: true })).toBeEnabled()
})

/** A question by the same visitor, past the page. */
async function askElsewhere(page: Page): Promise<void> {
  const reply = await page.request.post('/api/chat', { data: { prompt: 'Hello', model: 'mock/echo' } })
  expect(reply.status()).toBe(200)
}
