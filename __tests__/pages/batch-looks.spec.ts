import { type Batches, expect, test } from './support/batches.ts'
import { sidewaysOverflow, smallTargets } from './support/fit.ts'

const file = (name: string, content: string) => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(content),
})

const STATES: Record<string, (batches: Batches) => Promise<void>> = {
  empty: async () => undefined,
  chosen: async ({ page }) => {
    await page
      .getByLabel('Choose files')
      .setInputFiles([file('a-rather-long-name-of-some-questions.jsonl', '{}\n{}'), file('photo.png', 'x')])
    await expect(page.locator('[data-note]')).toContainText('About 2 items')
  },
  sending: async ({ page }) => {
    await page.route('**/api/batch/upload', () => new Promise(() => undefined))
    await page.getByLabel('Choose files').setInputFiles([file('a.txt', 'Hello')])
    await page.getByRole('button', { name: 'Send batch' }).click()
    await expect(page.getByRole('progressbar', { name: 'Sent' })).toBeVisible()
  },
  refused: async ({ page }) => {
    const details = [3, 7].map(line => ({ path: `questions.jsonl:${line}`, message: 'is no JSON' }))
    const error = { code: 'INVALID_INPUT', message: 'No.', requestId: 'request-1', retryable: false, details }
    await page.route('**/api/batch/upload', route => route.fulfill({ status: 400, json: { error } }))
    await page.getByLabel('Choose files').setInputFiles([file('questions.jsonl', '{}')])
    await page.getByRole('button', { name: 'Send batch' }).click()
    await expect(page.getByRole('list', { name: 'Errors' })).toBeVisible()
  },
  held: async ({ page }) => {
    const error = { code: 'RATE_LIMITED', message: 'Too many requests; please wait.', retryAfterSeconds: 900 }
    await page.route('**/api/batch/upload', route => route.fulfill({ status: 429, json: { error } }))
    await page.getByLabel('Choose files').setInputFiles([file('a.txt', 'Hello')])
    await page.getByRole('button', { name: 'Send batch' }).click()
    await expect(page.locator('[data-countdown]')).toBeVisible()
  },
  watched: async batches => {
    await handInSeveral(batches)
    await batches.job('Answers to customers').getByRole('button', { name: 'Items' }).click()
    await expect(batches.page.getByRole('table')).toBeVisible()
  },
  'too many': async ({ page }) => {
    const files = Array.from({ length: 51 }, (_, index) => file(`${index}.txt`, 'Hello'))
    await page.getByLabel('Choose files').setInputFiles(files)
    await expect(page.getByRole('alert').filter({ hasText: '51 files' })).toBeVisible()
  },
  opened: async batches => {
    await batches.submit('Answers', ['# A title\n\nSome **bold** text and `code`\n\n- one\n- two', 'Fail'])
    await expect(batches.job('Answers')).toContainText('1 failed')
    await batches.job('Answers').getByRole('button', { name: 'Items' }).click()
    await expect(batches.page.locator('tr[data-item-state]')).toHaveCount(2)
    for (const row of await batches.page.locator('tr[data-item-state]').all())
      await row.getByRole('button').click()
    await expect(batches.page.getByRole('region', { name: 'Answer of 1' })).toBeVisible()
    await expect(batches.page.getByRole('region', { name: 'Error of 2' })).toBeVisible()
  },
  waiting: async batches => {
    await batches.submit('Waiting', ['One', 'Busy'])
    await expect(batches.job('Waiting')).toContainText('time left unknown')
  },
  'without its session': async batches => {
    await batches.submit('Stranded', ['One'])
    await expect(batches.job('Stranded')).toContainText('1 of 1 succeeded')
    await batches.page.context().clearCookies()
    await batches.page.reload()
    await expect(batches.page.getByText('Your session was lost')).toBeVisible()
  },
  'ringing on the chat page': async batches => {
    await batches.submit('Done', ['One'])
    await batches.submit('Done as well', ['One'])
    // The batch page itself marks what it shows as seen.
    await batches.page.goto('/')
    await batches.page.evaluate(() => localStorage.clear())
    await batches.page.reload()
    await expect(batches.page.getByRole('link', { name: 'Batches: 2 finished' })).toBeVisible()
  },
  asked: async batches => {
    await batches.submit('Long', ['Stay'])
    await batches.job('Long').getByRole('button', { name: 'Cancel' }).click()
    await expect(batches.page.getByRole('dialog')).toBeVisible()
  },
}

async function handInSeveral(batches: Batches): Promise<void> {
  await batches.submit('Reviews of the autumn, in short', ['One', 'Two', 'Three'])
  await batches.submit('Spoilt', ['Fail'])
  await batches.submit('Answers to customers', ['A first line\n\nand a second', 'Two', 'Fail', 'Four'])
  await batches.submit('Stopped', ['One', 'Stay'])
  await batches.submit('Under way', ['One', 'Two', 'Stay'])
  await expect(batches.job('Answers to customers')).toContainText('3 of 4 succeeded')
  await expect(batches.job('Stopped')).toContainText('1 of 2 succeeded')
  await expect(batches.job('Under way')).toContainText('2 of 3 succeeded')
  await batches.job('Stopped').getByRole('button', { name: 'Cancel' }).click()
  await batches.page.getByRole('button', { name: 'Cancel batch' }).click()
  await expect(batches.job('Stopped')).toHaveAttribute('data-job-state', 'cancelled')
}

for (const [state, reach] of Object.entries(STATES)) {
  test(`batches can be used by everyone when ${state}, in light, in dark and at 320 px`, async ({
    everyLook,
    batches,
    page,
  }) => {
    await batches.open()
    await reach(batches)
    // Further down the page's header covers something, in each look something else.
    await page.evaluate(() => scrollTo(0, 0))
    await everyLook(`batch-${state}`, async () => {
      expect(await sidewaysOverflow(page), 'nothing sticks out sideways').toBe(0)
      expect(await smallTargets(page), 'everything can be touched').toEqual([])
    })
  })
}
