import { expect, test } from './support/parley.ts'

test('shows a failure in calm words with its request id, and offers another try', async ({ parley }) => {
  await parley.open()
  await parley.ask('Hello', 'mock/500')
  await expect(parley.answer).toContainText('The model provider returned an error.')
  await expect(parley.answer).toContainText(/Request \S{8,}/)
  await expect(parley.status).toContainText('The answer failed.')

  await parley.choose('mock')
  await parley.page.getByRole('button', { name: 'Try again' }).click()
  await expect(parley.answer).toContainText('That is all.')
})

test('copies the request id', async ({ parley, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await parley.open()
  await parley.ask('Hello', 'mock/500')
  await parley.page.getByRole('button', { name: 'Copy request id' }).click()
  const copied = await parley.page.evaluate(() => navigator.clipboard.readText())
  await expect(parley.answer).toContainText(copied)
})

test('keeps the text so far when the provider’s stream ends early', async ({ parley }) => {
  await parley.open()
  await parley.ask('Hello', 'mock/cut')
  await expect(parley.answer).toHaveAttribute('data-state', 'failed')
  await expect(parley.answer).toContainText('You asked:')
  await expect(parley.page.getByRole('button', { name: 'Try again' })).toBeVisible()
})

test('takes a stream that ends without saying so for a failure, and keeps what had come', async ({
  parley,
}) => {
  await parley.open()
  await parley.page.route('**/api/chat', route =>
    route.fulfill({
      contentType: 'text/event-stream',
      headers: { 'x-request-id': 'cut-before-its-end' },
      body: 'event: start\ndata: {}\n\nevent: delta\ndata: {"text":"Half an ans"}\n\n',
    }),
  )
  await parley.ask('Hello')
  await expect(parley.answer).toContainText('Half an ans')
  await expect(parley.answer).toContainText('The connection was lost before the answer was complete.')
  await expect(parley.answer).toContainText('cut-before-its-end')
})

test('says that the reader is offline, and goes on once they are not', async ({ parley, context }) => {
  await parley.open()
  await context.setOffline(true)
  await parley.ask('Hello')
  await expect(parley.answer).toContainText('You’re offline.')

  await context.setOffline(false)
  await parley.page.getByRole('button', { name: 'Try again' }).click()
  await expect(parley.answer).toContainText('That is all.')
})

test('reads an error page of a proxy as a plain failure', async ({ parley }) => {
  await parley.open()
  await parley.page.route('**/api/chat', route =>
    route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }),
  )
  await parley.ask('Hello')
  await expect(parley.answer).toContainText('No answer: the server returned 502.')
  await expect(parley.page.getByRole('button', { name: 'Try again' })).toBeVisible()
})

test('lets a question that was refused for good be edited, and does not send it along again', async ({
  parley,
}) => {
  await parley.open()
  await parley.page.route(
    '**/api/chat',
    route =>
      route.fulfill({
        status: 422,
        json: { error: { code: 'CONTENT_BLOCKED', message: 'The content was blocked.', retryable: false } },
      }),
    { times: 1 },
  )
  await parley.ask('Something blocked', 'mock/echo')
  await expect(parley.page.getByRole('button', { name: 'Try again' })).toHaveCount(0)
  await parley.page.getByRole('button', { name: 'Edit the question' }).click()
  await expect(parley.composer).toHaveValue('Something blocked')
  await expect(parley.page.locator('[data-state]')).toHaveCount(0)

  await parley.discuss('Something else', 'mock/echo')
})

test('carries on as an anonymous user when no session can be had', async ({ parley }) => {
  await parley.page.route('**/api/session', route => route.abort())
  await parley.open()
  await parley.discuss('Hello', 'mock/echo')
})

test('lets the gateway choose when the models cannot be listed', async ({ parley }) => {
  await parley.page.route('**/api/models', route => route.abort())
  await parley.page.goto('/')
  await parley.composer.fill('Hello')
  await parley.composer.press('Enter')
  await expect(parley.answer.locator('.facts')).toContainText('mock')
})
