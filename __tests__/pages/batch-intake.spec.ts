import type { Locator, Page } from '@playwright/test'
import { expect, test } from './support/batches.ts'
import { MODEL } from './support/worker-gateway.ts'

const text = (name: string, content: string | Buffer) => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(content),
})

const send = (page: Page): Locator => page.getByRole('button', { name: 'Send batch' })
const choose = (page: Page, files: ReturnType<typeof text>[]) =>
  page.getByLabel('Choose files').setInputFiles(files)

/** Drops a file on the page as the browser would. */
async function drop(page: Page, name: string, content: string): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([name, content]) => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([content as string], name as string))
      return transfer
    },
    [name, content],
  )
  const zone = page.getByRole('region', { name: 'Files' })
  await zone.dispatchEvent('dragenter', { dataTransfer: transfer })
  await expect(zone).toHaveAttribute('data-over', 'true')
  await zone.dispatchEvent('drop', { dataTransfer: transfer })
  await expect(zone).not.toHaveAttribute('data-over')
}

test('takes files by keyboard', async ({ batches, page }) => {
  // Waited for from the beginning: it takes Playwright a while to be ready for it.
  const opened = page.waitForEvent('filechooser')
  await batches.open()
  await page.getByRole('button', { name: /^Theme/ }).focus()
  await page.keyboard.press('Tab')
  await expect(page.getByLabel('Choose files')).toBeFocused()
  await page.keyboard.press('Enter')
  await (await opened).setFiles([text('a.txt', 'Hello')])
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Remove a.txt' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('list', { name: 'Chosen files' })).toHaveCount(0)
})

test('does not leave the page for a file that misses the zone', async ({ batches, page }) => {
  await batches.open()
  const taken = await page.evaluate(() => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(['x'], 'a.txt'))
    const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })
    return !document.querySelector('h2')?.dispatchEvent(drop)
  })
  expect(taken).toBe(true)
  await expect(page.getByRole('list', { name: 'Chosen files' })).toHaveCount(0)
})

/** Answers uploads in the gateway's place with one of its refusals. */
const refuseUploads = (page: Page, status: number, error: Record<string, unknown>) =>
  page.route('**/api/batch/upload', route =>
    route.fulfill({ status, json: { error: { requestId: 'request-1', retryable: false, ...error } } }),
  )

test('takes files by drop and by dialog, and says about what they come to', async ({ batches, page }) => {
  await batches.open()
  await expect(send(page)).toBeDisabled()
  await drop(page, 'notes.md', 'word '.repeat(800))
  const estimate = page.locator('[data-note]')
  await expect(estimate).toHaveText('About 1 item, 1,000 input tokens, less than $0.01; answers cost extra')

  await choose(page, [text('questions.jsonl', '{"prompt":"One"}\n\n{"prompt":"Two"}\n')])
  await page.getByLabel('Instruction for every item').fill('Answer in French, and be brief')
  await expect(estimate).toContainText('About 3 items, 1,032 input tokens')
  await expect(page.getByRole('list', { name: 'Chosen files' }).getByRole('listitem')).toHaveCount(2)
  await expect(send(page)).toBeEnabled()

  await page.getByRole('button', { name: 'Remove questions.jsonl' }).click()
  await expect(estimate).toContainText('About 1 item')
})

test('says that a price is unknown where it is', async ({ batches, page }) => {
  await batches.open()
  await page.getByRole('combobox', { name: 'Model' }).selectOption('mock/echo')
  await choose(page, [text('one.txt', 'Hello')])
  await expect(page.locator('[data-note]')).toHaveText('About 1 item, 2 input tokens, price unknown')
})

test('names what cannot be sent before anything is', async ({ batches, page }) => {
  await batches.open()
  await choose(page, [
    text('photo.png', 'x'),
    text('empty.txt', ''),
    text('latin.txt', Buffer.from([0x63, 0xe9])),
    text('fine.txt', 'Hello'),
  ])
  const chosen = page.getByRole('list', { name: 'Chosen files' }).getByRole('listitem')
  await expect(chosen.nth(0)).toContainText('Not a .txt, .md, .csv, .json or .jsonl file')
  await expect(chosen.nth(1)).toContainText('This file is empty')
  await expect(chosen.nth(2)).toContainText('Not UTF-8 text; save it as UTF-8 and choose it again')
  await expect(send(page)).toBeDisabled()
  for (const name of ['photo.png', 'empty.txt', 'latin.txt'])
    await page.getByRole('button', { name: `Remove ${name}` }).click()
  await expect(send(page)).toBeEnabled()

  await choose(
    page,
    Array.from({ length: 50 }, (_, index) => text(`${index}.txt`, 'Hello')),
  )
  await expect(
    page
      .getByRole('alert')
      .filter({ hasText: '51 files are chosen, but a batch takes at most 50. Remove 1.' }),
  ).toBeVisible()
  await expect(send(page)).toBeDisabled()
})

test('counts the rows of a table by semicolons, and shows which of its columns are ignored', async ({
  batches,
  page,
}) => {
  await batches.open()
  await choose(page, [text('table.csv', 'id;prompt;Colour\n1;"One;\ntwo";red\n2;Three;blue\n')])
  await expect(page.locator('[data-note]')).toContainText('About 2 items')
  await page.getByLabel('Name').fill('Table')
  await send(page).press('Enter')

  const warnings = batches.job('Table').getByRole('list', { name: 'Warnings' }).getByRole('listitem')
  await expect(warnings).toHaveCount(1)
  await expect(warnings).toContainText(/table\.csv.*ignored unknown column .*Colour/)
  await expect(batches.job('Table')).toContainText('2 of 2 succeeded')

  await page.reload()
  await expect(warnings).toContainText('Colour')
  await batches.submit('Plain', ['One'])
  await expect(batches.job('Plain')).toContainText('1 of 1 succeeded')
  await expect(batches.job('Plain').getByRole('list', { name: 'Warnings' })).toHaveCount(0)
})

test('sends the files with the chosen options, and begins anew with the batch in the list', async ({
  batches,
  page,
}) => {
  await batches.open()
  await choose(page, [text('a.txt', 'Hello')])
  await page.getByLabel('Name').fill('Greetings')
  await page.getByLabel('Instruction for every item').fill('Stay kind')
  await page.getByRole('combobox', { name: 'Priority' }).selectOption('high')
  await send(page).press('Enter')

  await expect(batches.status).toHaveText('“Greetings” is queued with 1 item.')
  await expect(page.locator('[data-note]')).toHaveText('“Greetings” is queued. Follow it below.')
  await expect(batches.job('Greetings')).toBeVisible()
  await expect(page.getByLabel('Name')).toHaveValue('')
  await expect(page.getByRole('list', { name: 'Chosen files' })).toHaveCount(0)

  batches.provider.release()
  await expect(batches.job('Greetings')).toContainText('1 of 1 succeeded')
  const { jobs } = await (await page.request.get('/api/batch/jobs')).json()
  expect(jobs).toMatchObject([{ name: 'Greetings', priority: 'high' }])
  const results = await (await page.request.get(`/api/batch/jobs/${jobs[0].id}/results`)).text()
  expect(JSON.parse(results)).toMatchObject({ file: 'a.txt', model: MODEL, content: 'Stay kind\n\nHello' })
})

test('shows how much has been sent, and stops when asked to, keeping the draft', async ({
  batches,
  page,
}) => {
  await batches.open()
  await page.route('**/api/batch/upload', () => new Promise(() => undefined))
  await choose(page, [text('a.txt', 'Hello')])
  await send(page).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('progressbar', { name: 'Sent' })).toBeVisible()
  await expect(page.getByLabel('Name')).toBeDisabled()

  const stop = page.getByRole('button', { name: 'Stop sending' })
  await expect(stop).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(send(page)).toBeFocused()
  await expect(page.getByRole('list', { name: 'Chosen files' })).toContainText('a.txt')
})

test('shows every fault by file and line, and keeps the draft', async ({ batches, page }) => {
  await batches.open()
  await choose(page, [text('questions.jsonl', '{"prompt":"One"}\n\n{prompt:Two}\n{"prompt":""}\n')])
  await send(page).click()
  const faults = page.getByRole('list', { name: 'Errors' }).getByRole('listitem')
  await expect(faults).toHaveText([
    'questions.jsonl, line 3 is not valid JSON at character 1',
    'questions.jsonl, line 4 prompt must not be empty',
  ])
  await expect(page.getByText(/^Request [\w-]{8,}$/)).toBeVisible()
  const alert = page.getByRole('region', { name: 'Files' }).getByRole('alert')
  await expect(alert).toContainText('Nothing was uploaded. Fix these lines and send again:')
  await page.getByRole('button', { name: 'Remove questions.jsonl' }).click()
  await expect(faults).toHaveCount(0)
})

test('counts down a Retry-After, and keeps the draft', async ({ batches, page }) => {
  await page.clock.install()
  await batches.open()
  await refuseUploads(page, 429, {
    code: 'RATE_LIMITED',
    message: 'Too many requests; please wait.',
    retryAfterSeconds: 60,
  })
  await choose(page, [text('a.txt', 'Hello')])
  await page.getByLabel('Name').fill('Kept')
  await send(page).click()
  const countdown = page.locator('[data-countdown]')
  await expect(countdown).toContainText(/You can send again in \d+ seconds\. Your draft is kept\./)
  await expect(send(page)).toBeDisabled()

  await page.clock.fastForward('01:01')
  await expect(countdown).toHaveCount(0)
  await expect(send(page)).toBeEnabled()
  await expect(page.getByLabel('Name')).toHaveValue('Kept')
})
