import { readFile } from 'node:fs/promises'
import { expect, test } from './support/batches.ts'

test('shows a batch as it goes on, with its figures, newest first', async ({ batches }) => {
  await batches.open()
  await batches.submit('Older', ['One'])
  await batches.submit('Newer', ['One', 'Two', 'Stay'])

  const job = batches.job('Newer')
  await expect(job).toHaveAttribute('data-job-state', 'running')
  await expect(job).toContainText('2 of 3 succeeded')
  await expect(job.getByRole('progressbar')).toHaveJSProperty('value', 2 / 3)
  await expect(job).toContainText('taking longer than estimated')
  await expect(job).toContainText(/\$0\.0\d+ so far/)
  await expect(batches.page.getByRole('article').first()).toHaveAccessibleName('Newer')

  batches.provider.release()
  await expect(job).toHaveAttribute('data-job-state', 'completed')
  await expect(job).toContainText('3 of 3 succeeded')
  await expect(batches.status).toHaveText('The batch “Newer” has ended: 3 of 3 succeeded.')
})

test('never shows a batch with failures as one without, and tries the failed ones again', async ({
  batches,
}) => {
  await batches.open()
  await batches.submit('Mixed', ['One', 'Fail'])
  await batches.submit('Spoilt', ['Fail'])
  await batches.submit('Whole', ['One'])
  const [mixed, spoilt, whole] = ['Mixed', 'Spoilt', 'Whole'].map(batches.job)
  if (!mixed || !spoilt || !whole) throw new Error('there are three')

  await expect(mixed).toContainText('Completed, 1 failed')
  await expect(spoilt).toContainText('Failed')
  await expect(whole).toContainText('Completed')
  await expect(mixed).toHaveAttribute('data-tone', 'partly')
  await expect(spoilt).toHaveAttribute('data-tone', 'badly')
  await expect(whole).toHaveAttribute('data-tone', 'well')

  batches.provider.mend()
  await mixed.getByRole('button', { name: 'Retry 1 failed item' }).click()
  await expect(mixed).toContainText('2 of 2 succeeded')
  await expect(mixed).toHaveAttribute('data-tone', 'well')
  await expect(mixed.getByRole('button', { name: /^Retry/ })).toHaveCount(0)
})

test('cancels a batch only after asking, and deletes it likewise', async ({ batches, page }) => {
  await batches.open()
  await batches.submit('Long', ['One', 'Stay'])
  const job = batches.job('Long')
  await expect(job).toContainText('1 of 2 succeeded')

  await job.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByRole('dialog')).toContainText('Cancel “Long”?')
  await page.keyboard.press('Escape')
  await expect(job).toHaveAttribute('data-job-state', 'running')

  await job.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Cancel batch' }).click()
  await expect(job).toHaveAttribute('data-job-state', 'cancelled')
  await expect(job).toContainText('1 of 2 succeeded, 1 cancelled')

  await job.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('button', { name: 'Delete batch' }).click()
  await expect(job).toHaveCount(0)
  await expect(page.getByRole('heading', { name: 'Your batches' })).toBeFocused()
  await page.reload()
  await expect(page.getByText('No batches yet. Upload files to start one.')).toBeVisible()
})

test('changes the priority of what still waits', async ({ batches, page }) => {
  await batches.open()
  const id = await batches.submit(
    'Patient',
    Array.from({ length: 12 }, (_, index) => `Stay ${index}`),
  )
  const priority = batches.job('Patient').getByRole('combobox', { name: 'Priority of Patient' })
  await priority.selectOption('High priority')
  await expect
    .poll(async () => (await (await page.request.get(`/api/batch/jobs/${id}`)).json()).priority)
    .toBe('high')
  batches.provider.release()
  await expect(priority).toHaveCount(0)
})

test('saves the results as JSONL and as CSV', async ({ batches, page }) => {
  await batches.open()
  const id = await batches.submit('Results', ['One', 'Fail'])
  await expect(batches.job('Results')).toContainText('1 failed')
  for (const format of ['jsonl', 'csv']) {
    const started = page.waitForEvent('download')
    await page.getByRole('link', { name: `Download ${format.toUpperCase()} of Results` }).click()
    const download = await started
    expect(download.suggestedFilename()).toBe(`${id}.${format}`)
    const text = await readFile(await download.path(), 'utf8')
    expect(text).toContain('One')
    expect(text.trim().split('\n')).toHaveLength(format === 'csv' ? 3 : 2)
  }
})

test('shows items by state, page after page, with what became of each', async ({ batches, page }) => {
  await batches.open()
  await batches.submit('Many', [...Array.from({ length: 24 }, (_, index) => `Question ${index + 1}`), 'Fail'])
  const job = batches.job('Many')
  await job.getByRole('button', { name: 'Items of Many' }).click()
  await expect(job).toContainText('24 of 25 succeeded')
  const rows = job.locator('tbody tr[data-item-state]')
  await expect(rows).toHaveCount(20)
  await expect(rows.first()).toContainText('Question 1')

  await job.getByRole('button', { name: 'Next' }).click()
  await expect(rows).toHaveCount(5)
  await expect(rows.first()).toContainText('Question 21')
  await job.getByRole('button', { name: 'Previous' }).click()
  await expect(rows).toHaveCount(20)

  await job.getByRole('combobox', { name: 'Items of Many to show' }).selectOption('Failed (1)')
  await expect(rows).toHaveCount(1)
  const cells = rows.getByRole('cell')
  await expect(cells.nth(0)).toHaveText('failed')
  await expect(cells.nth(1)).toHaveText('1')
  await expect(cells.nth(3)).toHaveText(/\w+ \w+/)
  expect(await page.getByRole('button', { name: 'Next' }).count()).toBe(0)
})

test('comes back to its batches when the connection breaks, and says so meanwhile', async ({
  batches,
  page,
}) => {
  await page.route('**/api/batch/events', route =>
    route.fulfill({ contentType: 'text/event-stream', body: ': ping\n\n' }),
  )
  await batches.open()
  await page.route('**/api/batch/jobs', route => route.abort())
  await expect(page.getByText('Can’t reach Parley.')).toBeVisible()

  await page.unrouteAll()
  await batches.submit('Enduring', ['Stay'])
  await expect(batches.job('Enduring')).toHaveAttribute('data-job-state', 'running')
  await expect(page.getByText('Can’t reach Parley.')).toHaveCount(0)
  batches.provider.release()
  await expect(batches.job('Enduring')).toHaveAttribute('data-job-state', 'completed')
})

test('says why there are no batches where the gateway has none, and asks no more', async ({
  batches,
  page,
}) => {
  let asked = 0
  const error = { code: 'NOT_FOUND', message: 'Batches are switched off here.', retryable: false }
  await page.clock.install()
  await page.route('**/api/batch/jobs', route => {
    asked += 1
    return route.fulfill({ status: 404, json: { error } })
  })
  await batches.open()
  await expect(page.getByText('Batches are switched off here.')).toBeVisible()
  await page.clock.fastForward('05:00')
  await page.reload()
  await expect(page.getByText('Batches are switched off here.')).toBeVisible()
  expect(asked).toBe(2)
})

test('shows older batches on request', async ({ batches, page }) => {
  await batches.open()
  for (let index = 1; index <= 51; index++) await batches.submit(`Batch ${index}`, ['One'])
  await page.reload()
  await expect(page.getByRole('article')).toHaveCount(50)
  await page.getByRole('button', { name: 'Older batches' }).click()
  await expect(page.getByRole('article')).toHaveCount(51)
  await expect(page.getByRole('article').last()).toHaveAccessibleName('Batch 1')
  await expect(page.getByRole('button', { name: 'Older batches' })).toHaveCount(0)
})

test('shows at its batch why the gateway refused to delete it', async ({ batches, page }) => {
  await batches.open()
  await batches.submit('Late', ['One'])
  await expect(batches.job('Late')).toContainText('Completed')
  const error = {
    code: 'CONFLICT',
    message: 'The batch has not ended yet. Cancel it first.',
    retryable: false,
  }
  await page.route('**/api/batch/jobs/*', route => route.fulfill({ status: 409, json: { error } }))
  await batches.job('Late').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('button', { name: 'Delete batch' }).click()
  await expect(batches.job('Late').getByRole('alert')).toHaveText(error.message)
})
