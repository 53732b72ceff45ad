import type { Page, Route } from '@playwright/test'
import { COLOUR_RULES, faultsOf } from './support/axe.ts'
import { settled } from './support/every-look.ts'
import { keepLooks } from './support/looks.ts'
import { expect, type Parley, test } from './support/parley.ts'

const RATE_LIMIT = {
  code: 'MODEL_UNAVAILABLE',
  message: 'mock/500 keeps failing; next try in 18 s.',
  retryable: true,
  retryAfterSeconds: 18,
}

/** In light, dark and forced colours: axe finds nothing. Leaves a picture of each. */
async function looksWellTo(page: Page, state: string): Promise<void> {
  const looks = [
    [{ colorScheme: 'light' }, undefined],
    [{ colorScheme: 'dark' }, COLOUR_RULES],
    [{ forcedColors: 'active' }, COLOUR_RULES],
  ] as const
  for (const [media, only] of looks) {
    await page.emulateMedia({ colorScheme: 'light', forcedColors: 'none', ...media })
    await settled(page)
    await keepLooks(page, `${state} ${Object.values(media)[0]}`)
    expect(await faultsOf(page, { only }), `${state}, ${JSON.stringify(media)}`).toEqual([])
  }
}

test('after a failure another model can be tried, and the chosen one stays', async ({ parley, page }) => {
  await parley.open()
  await parley.ask('Hello', 'mock/500')
  await expect(parley.answer).toHaveAttribute('data-state', 'failed')
  await expect(parley.answer.locator('.facts')).toContainText('cost unknown')
  await looksWellTo(page, 'failed')
  await page.getByRole('combobox', { name: 'Ask instead' }).selectOption('mock/echo')
  const [request] = await Promise.all([
    page.waitForRequest('**/api/chat'),
    page.getByRole('button', { name: 'Try another model' }).click(),
  ])
  expect(request.postDataJSON()).toMatchObject({ model: 'mock/echo', messages: [{ content: 'Hello' }] })
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue('mock/500')
})

test('shows a wait once, as a live countdown', async ({ parley, page }) => {
  await parley.open()
  await page.route('**/api/chat', route => route.fulfill({ status: 503, json: { error: RATE_LIMIT } }))
  await parley.ask('Hello')
  await expect(parley.answer).toContainText('mock/500 keeps failing.')
  await expect(parley.answer).not.toContainText('18 s')
  await expect(page.getByRole('button', { name: /^Try again in \d+ seconds$/ })).toBeVisible()
})

test('the text of failed and stopped answers can be copied, and says which model, how much of it and at what price', async ({
  parley,
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await parley.open()
  const ends: Record<string, (parley: Parley) => Promise<void>> = {
    'mock/cut': async () => undefined,
    'mock/stall': async () => {
      await expect(parley.answer).toContainText('You asked')
      await parley.stop.click()
    },
  }
  for (const [model, end] of Object.entries(ends)) {
    await parley.ask('Hello', model)
    await end(parley)
    await expect(parley.answer.locator('.facts')).toHaveText(
      new RegExp(`^Model${model}Tokens\\d+ tokens in, \\d+ outCost(about )?\\$0$`),
    )
    await parley.answer.getByRole('button', { name: 'Copy answer' }).click()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^You asked:/)
  }
})

test('tells an estimated cost from none and from an unknown one', async ({ parley, page }) => {
  await parley.open()
  const error = { code: 'PROVIDER_ERROR', message: 'The model provider broke off.', retryable: true }
  const start = { id: 'chat_1', requestId: 'r', model: 'mock', provider: 'mock', cache: 'miss' }
  const broken = (end: object) => ({
    contentType: 'text/event-stream',
    body: `event: start\ndata: ${JSON.stringify(start)}\n\nevent: delta\ndata: {"text":"Half"}\n\nevent: error\ndata: ${JSON.stringify({ error, ...end })}\n\n`,
  })
  const usage = { inputTokens: 10, outputTokens: 5 }
  const ends: [Parameters<Route['fulfill']>[0], string][] = [
    [
      broken({ usage: { ...usage, estimated: true }, costUsd: 0.0003 }),
      '10 tokens in, 5 outCostabout $0.0003',
    ],
    [broken({ usage, costUsd: 0.0003 }), '10 tokens in, 5 outCost$0.0003'],
    [broken({ usage, costUsd: null }), '10 tokens in, 5 outCostprice unknown'],
    [broken({}), 'Costcost unknown'],
    [{ status: 503, json: { error } }, 'Costno cost'],
    [{ status: 502, json: { error }, headers: { 'x-gateway-attempts': '2' } }, 'Costcost unknown'],
  ]
  for (const [reply, facts] of ends) {
    await page.route('**/api/chat', route => route.fulfill(reply), { times: 1 })
    await parley.ask('Hello')
    await expect(page.locator('.facts').last()).toHaveText(new RegExp(`${facts.replace('$', '\\$')}$`))
    await expect(parley.answer).toHaveAttribute('data-state', 'failed')
  }
  await expect(page.locator('.facts')).toHaveCount(ends.length)
})

test('after 8 s without a word says that it still waits, for how long, and announces it once', async ({
  parley,
  page,
}) => {
  await page.clock.install()
  await parley.open()
  await parley.ask('Hello', 'mock/stall')
  await expect(parley.answer).toContainText('You asked')
  await expect(parley.answer).not.toContainText('Still waiting')
  await page.clock.fastForward(8_000)
  await expect(parley.answer).toContainText(/Still waiting for the model… (8|9|\d\d) s/)
  await expect(parley.status).toHaveText('Still waiting for the model.')
  await page.clock.fastForward(3_000)
  await expect(parley.answer).toContainText(/Still waiting for the model… \d\d s/)
  await looksWellTo(page, 'stalled')
  await expect(parley.status).toHaveText('Still waiting for the model.')
  await parley.stop.click()
  await expect(parley.answer).not.toContainText('Still waiting')
})

test('an answer that was cut offers to continue, and keeps the draft', async ({ parley, page }) => {
  await parley.open()
  await parley.discuss('Go on', 'mock/long')
  await looksWellTo(page, 'cut')
  await parley.choose('mock/echo')
  await parley.composer.fill('My draft')
  const [request] = await Promise.all([
    page.waitForRequest('**/api/chat'),
    page.getByRole('button', { name: 'Continue' }).click(),
  ])
  const { messages } = request.postDataJSON()
  expect(messages.slice(-2)).toMatchObject([
    { role: 'assistant', content: expect.stringContaining('Line 1 of') },
    { role: 'user', content: 'Continue exactly where you stopped.' },
  ])
  await expect(parley.composer).toHaveValue('My draft')
})

test('reads from right to left what is written so, but code from left to right', async ({ parley, page }) => {
  await parley.open()
  await parley.discuss('مرحبا بالعالم\n\n- واحد\n\n```js\nlet a = 1\n```', 'mock/echo')
  await expect(parley.composer).toHaveAttribute('dir', 'auto')
  await expect(page.locator('.question')).toHaveCSS('direction', 'rtl')
  await expect(parley.answer.locator('.prose')).toHaveCSS('direction', 'rtl')
  await expect(parley.answer.locator('.prose pre')).toHaveCSS('direction', 'ltr')
  await keepLooks(page, 'right to left')
})

test('shows TeX as it was written, but for code', async ({ parley }) => {
  await parley.open()
  await parley.discuss('So \\(x_1 * y_1 * z\\) and\n\n\\[\na\n+ b\n\\]\n\n`\\(code\\)`', 'mock/echo')
  await expect(parley.answer.locator('.prose > p').first()).toHaveText('So \\(x_1 * y_1 * z\\) and')
  await expect(parley.answer.locator('.prose > p').nth(1)).toHaveText('\\[ a + b \\]')
  await expect(parley.answer.locator('.prose code')).toHaveText('\\(code\\)')
})
