import type { Page } from '@playwright/test'
import { type Batches, expect, test } from './support/batches.ts'

/** How often a page other than the batch page asks for unfinished batches. */
const POLL_MS = 10_000
const STEPS = 10

/** Releases the only batch, and waits until the gateway has completed it. */
async function complete({ page, provider }: Batches): Promise<void> {
  provider.release()
  await expect
    .poll(async () => {
      const { jobs } = await (await page.request.get('/api/batch/jobs')).json()
      return jobs.map(({ state }: { state: string }) => state)
    })
    .toEqual(['completed'])
}

/** Lets a page's next poll come in steps: an announcement that was made already must not be over by then. */
async function poll(page: Page): Promise<void> {
  await page.clock.fastForward(POLL_MS / STEPS)
}

test('rings on the chat page when a batch has finished, until the batches are looked at', async ({
  batches,
  parley,
  page,
  context,
}) => {
  await page.clock.install()
  await batches.open()
  await batches.submit('Slow', ['One', 'Stay'])
  await expect(batches.job('Slow')).toContainText('1 of 2 succeeded')

  await page.getByRole('link', { name: 'Chat' }).click()
  await expect(parley.composer).toBeVisible()
  await expect(page.getByRole('link', { name: 'Batches: nothing new' })).toBeVisible()
  await expect(page).toHaveTitle('Parley')

  await complete(batches)
  await expect
    .poll(
      async () => {
        await poll(page)
        return batches.status.textContent()
      },
      { intervals: [100] },
    )
    .toBe('The batch “Slow” has ended: 2 of 2 succeeded.')
  const badge = page.getByRole('link', { name: 'Batches: 1 finished since you last looked' })
  await expect(badge).toHaveText('1')
  await expect(page).toHaveTitle('(1) Parley')
  await page.reload()
  await expect(badge).toBeVisible()

  const other = await context.newPage()
  await other.goto('/batch')
  await expect(other.getByRole('article', { name: 'Slow' })).toBeVisible()
  await expect(other).toHaveTitle('Batch · Parley')
  await expect(badge).toHaveCount(0)
  await expect(page).toHaveTitle('Parley')
})

test('does not ring for what was cancelled', async ({ batches, parley, page }) => {
  await batches.open()
  const id = await batches.submit('Dropped', ['Stay'])
  await expect(batches.job('Dropped')).toBeVisible()
  await page.getByRole('link', { name: 'Chat' }).click()
  await expect(parley.composer).toBeVisible()
  await page.request.post(`/api/batch/jobs/${id}/cancel`)
  await batches.submit('Kept', ['One'])
  await page.reload()
  await expect(page.getByRole('link', { name: 'Batches: 1 finished since you last looked' })).toBeVisible()
})

test('keeps the conversation while the batches are looked at', async ({ parley, page }) => {
  await parley.open()
  await parley.ask('Remember me', 'mock/echo')
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await page.getByRole('link', { name: 'Batch', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'New batch' })).toBeVisible()
  await page.getByRole('link', { name: 'Chat' }).click()
  await expect(parley.answer).toContainText('Remember me')
  await expect(page.getByRole('combobox', { name: 'Model' })).toBeEnabled()
})

test('rings for a batch that another window has started, until it is seen in either', async ({
  batches,
  parley,
  page,
  context,
}) => {
  await page.clock.install()
  await parley.open()
  await expect(page.getByRole('link', { name: 'Batches: nothing new' })).toBeVisible()
  const other = await context.newPage()
  await other.goto('/batch')
  await other.getByLabel('Choose files').setInputFiles({
    name: 'a.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('Stay'),
  })
  await other.getByRole('button', { name: 'Send batch' }).click()
  await expect(other.getByRole('article', { name: 'a.txt' })).toBeVisible()
  await other.getByRole('link', { name: 'Chat' }).click()
  await complete(batches)
  await page.clock.fastForward(POLL_MS)
  const badge = page.getByRole('link', { name: 'Batches: 1 finished since you last looked' })
  await expect(badge).toHaveText('1')
  await other.getByRole('link', { name: 'Batches: 1 finished' }).click()
  await expect(badge).toHaveCount(0)
})
