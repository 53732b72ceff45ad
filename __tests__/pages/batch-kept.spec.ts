import type { Page } from '@playwright/test'
import { expect, test } from './support/batches.ts'

const file = (name: string, content = 'Hello') => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(content),
})
const choose = (page: Page, files: ReturnType<typeof file>[]) =>
  page.getByLabel('Choose files').setInputFiles(files)
const send = (page: Page) => page.getByRole('button', { name: 'Send batch' })
const alertAtFiles = (page: Page) => page.getByRole('region', { name: 'Files' }).getByRole('alert')

test('says at the drop zone, as an alert and in view, that 51 files are too many', async ({
  batches,
  page,
}) => {
  await batches.open()
  await choose(
    page,
    Array.from({ length: 51 }, (_, index) => file(`${index}.txt`)),
  )
  await expect(alertAtFiles(page)).toHaveText('51 files are chosen, but a batch takes at most 50. Remove 1.')
  await expect(alertAtFiles(page)).toBeInViewport()
  const top = ({ y = 0 } = {}) => y
  const zone = top((await page.getByText('Choose files').boundingBox()) ?? undefined)
  expect(top((await alertAtFiles(page).boundingBox()) ?? undefined) - zone).toBeLessThan(100)
  await expect(send(page)).toBeDisabled()
})

test('names files of a wrong type at the drop zone, and removes them at once', async ({ batches, page }) => {
  await batches.open()
  await choose(page, [file('a.png'), file('b.txt', ''), file('c.txt')])
  await expect(alertAtFiles(page)).toContainText('a.png: Not a .txt, .md, .csv, .json or .jsonl file')
  await expect(alertAtFiles(page)).toContainText('b.txt: This file is empty')
  await page.getByRole('button', { name: 'Remove these 2 files' }).click()
  await expect(alertAtFiles(page)).toHaveCount(0)
  await expect(send(page)).toBeEnabled()
})

test('brings a refusal by the gateway into view and focus, above a long list of files', async ({
  batches,
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 500 })
  await batches.open()
  const error = { code: 'PAYLOAD_TOO_LARGE', message: 'Too large together.', retryable: false }
  await page.route('**/api/batch/upload', route => route.fulfill({ status: 413, json: { error } }))
  await choose(
    page,
    Array.from({ length: 40 }, (_, index) => file(`${index}.txt`)),
  )
  await send(page).click()
  await expect(alertAtFiles(page)).toHaveText('Too large together.')
  await expect(alertAtFiles(page)).toBeInViewport()
  expect(await alertAtFiles(page).evaluate(alert => alert.parentElement === document.activeElement)).toBe(
    true,
  )
  await page.unroute('**/api/batch/upload')
  await send(page).click()
  await expect(page.getByRole('article').first()).toContainText('40 of 40 succeeded')
})

test('estimates each row at its own model, and knows no sum where one price is unknown', async ({
  batches,
  page,
}) => {
  await batches.open()
  const note = page.locator('[data-note]')
  const row = (model: string) => `${JSON.stringify({ prompt: 'x'.repeat(40_000), model })}\n`
  await choose(page, [file('own.jsonl', row('gpt-4o-mini') + row('gpt-4o'))])
  await expect(note).toContainText(/About 2 items, 20,0\d\d input tokens, about \$0\.02\d+;/)
  await choose(page, [file('secret.jsonl', row('mock/echo'))])
  await expect(note).toHaveText(/About 3 items, 30,0\d\d input tokens, price unknown \(mock\/echo\)/)
})

test('says plainly that its session was lost, and follows what is sent from then on', async ({
  batches,
  page,
  context,
}) => {
  await batches.open()
  await batches.submit('Stranded', ['Stay'])
  await expect(batches.job('Stranded')).toHaveAttribute('data-job-state', 'running')
  await context.clearCookies()
  await choose(page, [file('a.txt')])
  await page.getByLabel('Name').fill('Followed')
  await send(page).click()
  const lost = page.getByRole('alert').filter({ hasText: 'Your session was lost' })
  await expect(lost).toContainText('Stranded')
  await expect(batches.job('Stranded')).toHaveCount(0)
  await expect(batches.job('Followed')).toContainText('1 of 1 succeeded')

  await context.clearCookies()
  await page.reload()
  await expect(lost.getByRole('listitem')).toHaveText(['Followed', 'Stranded'])
  await expect(lost).toContainText('upload the files again')
  await lost.getByRole('button', { name: 'Dismiss' }).click()
  await page.reload()
  await expect(page.getByText('No batches yet. Upload files to start one.')).toBeVisible()
  await expect(lost).toHaveCount(0)
})

test('keeps files, texts and a running upload while another page is looked at', async ({
  batches,
  parley,
  page,
}) => {
  await batches.open()
  const held = Promise.withResolvers<void>()
  await page.route('**/api/batch/upload', async route => {
    await held.promise
    await route.continue()
  })
  await choose(page, [file('a.txt')])
  await page.getByLabel('Name').fill('Kept')
  await page.getByLabel('Instruction for every item').fill('Be kind')
  const away = async () => {
    await page.getByRole('link', { name: 'Chat' }).click()
    await expect(parley.composer).toBeVisible()
    await page.getByRole('link', { name: 'Batch', exact: true }).click()
  }
  await away()
  await expect(page.getByRole('list', { name: 'Chosen files' })).toContainText('a.txt')
  await expect(page.getByLabel('Name')).toHaveValue('Kept')
  await send(page).dblclick()
  await away()
  await expect(page.getByRole('progressbar', { name: 'Sent' })).toBeVisible()
  held.resolve()
  await expect(batches.job('Kept')).toContainText('1 of 1 succeeded')
  await expect(page.getByRole('article')).toHaveCount(1)
})

test('warns before a reload would lose chosen files, and keeps the texts over it', async ({
  batches,
  page,
}) => {
  await batches.open()
  const models = page.getByRole('combobox', { name: 'Model' })
  await expect(models).toBeEnabled()
  await page.getByLabel('Name').fill('Draft')
  await choose(page, [file('a.txt')])
  await page.getByLabel('Name').focus()
  const asked = page.waitForEvent('dialog')
  const closing = page.close({ runBeforeUnload: true })
  const dialog = await asked
  expect(dialog.type()).toBe('beforeunload')
  await dialog.dismiss()
  await closing
  await page.getByRole('button', { name: 'Remove a.txt' }).click()
  await page.reload()
  await expect(page.getByLabel('Name')).toHaveValue('Draft')
  await expect(models).toBeEnabled()
})

test('keeps what was typed and chosen before the page was hydrated', async ({ batches, page }) => {
  const scripts = Promise.withResolvers<void>()
  await page.route('**/_next/static/**/*.js', async route => {
    await scripts.promise
    await route.continue()
  })
  await page.goto('/batch', { waitUntil: 'commit' })
  await page.getByLabel('Name').fill('Early')
  await page.getByLabel('Instruction for every item').fill('Be kind')
  await page.getByLabel('Priority').selectOption('high')
  await choose(page, [file('early.txt')])
  scripts.resolve()
  await expect(page.getByRole('list', { name: 'Chosen files' })).toContainText('early.txt')
  await expect(page.getByLabel('Name')).toHaveValue('Early')
  await expect(page.getByLabel('Instruction for every item')).toHaveValue('Be kind')
  await expect(page.getByLabel('Priority', { exact: true })).toHaveValue('high')
  const [upload] = await Promise.all([page.waitForRequest('**/api/batch/upload'), send(page).click()])
  const parts = upload.postData() ?? ''
  for (const [name, value] of [
    ['instruction', 'Be kind'],
    ['priority', 'high'],
  ])
    expect(parts).toMatch(new RegExp(`name="${name}"\\s+${value}`))
  await expect(batches.job('Early')).toContainText('1 of 1 succeeded')
})

test('says after a lost connection whether to send again, and keeps the files', async ({ batches, page }) => {
  await batches.open()
  await page.route('**/api/batch/upload', route => route.abort('connectionreset'))
  await choose(page, [file('a.txt')])
  await send(page).click()
  await expect(alertAtFiles(page)).toContainText(/Can’t reach Parley|was lost/)
  await page.unroute('**/api/batch/upload')
  await send(page).click()
  await expect(page.getByRole('article').first()).toContainText('1 of 1 succeeded')
})
