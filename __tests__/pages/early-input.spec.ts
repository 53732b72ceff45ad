import type { Page } from '@playwright/test'
import { expect, test } from './support/batches.ts'
import type { Parley } from './support/parley.ts'

/** Holds the page's scripts back, as a slow network does, until they are released. */
async function withoutScripts(page: Page, path = '/'): Promise<() => void> {
  const released = Promise.withResolvers<void>()
  await page.route('**/_next/static/**/*.js', async route => {
    await released.promise
    await route.continue()
  })
  await page.goto(path, { waitUntil: 'commit' })
  return released.resolve
}

/** Holds back only the script of the chat page itself: React waits for it in the midst of hydration. */
async function withoutOwnScript(page: Page): Promise<() => void> {
  const released = Promise.withResolvers<void>()
  const isHeld = Promise.withResolvers<void>()
  await page.route('**/_next/static/**/*.js', async route => {
    const response = await route.fetch()
    if ((await response.text()).includes('Your question')) {
      isHeld.resolve()
      await released.promise
    }
    await route.fulfill({ response })
  })
  await page.goto('/', { waitUntil: 'commit' })
  await isHeld.promise
  await page.waitForFunction(() => Object.keys(document).some(key => key.startsWith('_reactListening')))
  return released.resolve
}

test('keeps what was written on a page that is left before its scripts are there', async ({
  parley,
  page,
}) => {
  await withoutScripts(page)
  await parley.composer.pressSequentially('Written early')
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  await parley.open()
  await expect(parley.composer).toHaveValue('Written early')
})

const asks = {
  'with Enter': ({ composer }: Parley) => composer.press('Enter'),
  'with the button': ({ send }: Parley) => send.click(),
}
for (const [way, ask] of Object.entries(asks))
  test(`sends a question that was sent ${way} before the page’s scripts are there, to the model chosen last time`, async ({
    parley,
    page,
  }) => {
    await parley.open()
    await parley.choose('mock/echo')
    const release = await withoutScripts(page)
    await expect(parley.send).toBeDisabled()
    await parley.composer.pressSequentially('Sent early')
    await ask(parley)
    await expect(page.getByText('Sending…')).toBeVisible()
    await expect(parley.composer).toHaveValue('Sent early')
    await expect(parley.composer).not.toBeEditable()
    const asked = page.waitForRequest('**/api/chat')
    release()
    expect((await asked).postDataJSON()).toMatchObject({
      model: 'mock/echo',
      messages: [{ role: 'user', content: 'Sent early' }],
    })
    await expect(parley.answer).toContainText('Sent early')
    await expect(parley.answer).toHaveAttribute('data-state', 'done')
    await expect(parley.composer).toHaveValue('')
    await expect(parley.composer).toBeEditable()
    await expect(page.getByText('Sending…')).toBeHidden()
  })

test('sends a question that was sent early in the conversation of before', async ({ parley, page }) => {
  await parley.open()
  await parley.discuss('First question', 'mock/echo')
  const release = await withoutScripts(page)
  await parley.composer.fill('Second question')
  await parley.composer.press('Enter')
  const asked = page.waitForRequest('**/api/chat')
  release()
  const { messages } = (await asked).postDataJSON()
  expect(messages.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant', 'user'])
  await expect(page.locator('[data-state=done]')).toHaveCount(2)
})

for (const [way, ask] of Object.entries(asks))
  test(`sends a question that was sent ${way} while React hydrates the page`, async ({ parley, page }) => {
    const release = await withoutOwnScript(page)
    await parley.composer.pressSequentially('Sent early')
    await ask(parley)
    await expect(page.getByText('Sending…')).toBeVisible()
    const asked = page.waitForRequest('**/api/chat')
    release()
    expect((await asked).postDataJSON()).toMatchObject({
      messages: [{ role: 'user', content: 'Sent early' }],
    })
    await expect(parley.answer).toHaveAttribute('data-state', 'done')
  })

test('presses a button and takes an example that were pressed while React hydrates the page', async ({
  parley,
  page,
}) => {
  const release = await withoutOwnScript(page)
  await page.getByRole('button', { name: /Draft a kind reply/ }).click()
  await expect(parley.composer).not.toHaveValue('')
  await expect(parley.send).toBeEnabled()
  await page.getByRole('button', { name: /Theme: system/ }).click()
  release()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light')
})

test('sends a question to the gateway’s own choice where the list of models does not come within 3 s', async ({
  parley,
  page,
}) => {
  await page.route('**/api/models', () => {})
  const release = await withoutScripts(page)
  await parley.composer.fill('Sent early')
  await parley.composer.press('Enter')
  const asked = page.waitForRequest('**/api/chat')
  release()
  expect((await asked).postDataJSON()).not.toHaveProperty('model')
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
})

test('offers to send at most 50,000 characters before the page’s scripts are there', async ({
  parley,
  page,
}) => {
  const release = await withoutScripts(page)
  // Of words: to lay out a single one of such a length takes Chromium eight seconds.
  const most = `${'words '.repeat(8_333)}ok`
  expect(most.length).toBe(50_000)
  await parley.composer.fill(`${most}!`)
  await expect(parley.send).toBeDisabled()
  await parley.composer.press('Enter')
  await expect(parley.composer).toBeEditable()
  await parley.composer.fill(most)
  await expect(parley.send).toBeEnabled()
  release()
})

test('takes an early question back with Escape, and sends nothing', async ({ parley, page }) => {
  const release = await withoutScripts(page)
  await parley.composer.fill('Not yet')
  await parley.composer.press('Enter')
  await expect(parley.composer).not.toBeEditable()
  await parley.composer.press('Escape')
  await expect(page.getByText('Sending…')).toBeHidden()
  await parley.composer.press('End')
  await page.keyboard.type('!')
  release()
  await expect(page.getByRole('combobox', { name: 'Model' })).toBeEnabled()
  await expect(parley.composer).toHaveValue('Not yet!')
  await expect(parley.answer).toHaveCount(0)
})

test('presses the buttons that were pressed before the page’s scripts are there, each once', async ({
  page,
  parley: _,
}) => {
  const release = await withoutScripts(page, '/docs')
  const tryIt = page.getByRole('button', { name: 'Try it: Ask a model' }).first()
  const tab = page.getByRole('tab').nth(1)
  await tab.click()
  await page.getByRole('button', { name: /Theme: system/ }).click()
  await tryIt.dblclick()
  release()
  await expect(tryIt).toHaveAttribute('aria-expanded', 'true')
  await expect(tab).toHaveAttribute('aria-selected', 'true')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light')
})

test('stays where Enter is pressed in a field before the page’s scripts are there', async ({
  batches: _,
  page,
}) => {
  const release = await withoutScripts(page, '/batch')
  await page.evaluate(() => Object.assign(globalThis, { same: true }))
  await page.getByLabel('Name').fill('March')
  await page.getByLabel('Name').press('Enter')
  await page.evaluate(() => document.querySelector('form')?.requestSubmit())
  release()
  await expect(page.getByRole('combobox', { name: 'Model' })).toBeEnabled()
  await expect(page.getByLabel('Name')).toHaveValue('March')
  expect(await page.evaluate(() => 'same' in globalThis)).toBe(true)
})

test('keeps what is typed before the page’s scripts are there', async ({ parley, page }) => {
  const release = await withoutScripts(page)
  await parley.composer.pressSequentially('Typed early')
  release()
  await expect(page.getByRole('combobox', { name: 'Model' })).toBeEnabled()
  await expect(parley.composer).toHaveValue('Typed early')
  await parley.composer.press('End')
  await page.keyboard.type(' and late')
  await parley.choose('mock/echo')
  await parley.send.click()
  await expect(parley.answer).toContainText('Typed early and late')
})

test('keeps an early question beside the draft of an earlier page', async ({ parley, page }) => {
  await parley.open()
  await parley.composer.fill('Draft of before')
  const release = await withoutScripts(page)
  await parley.composer.pressSequentially('Typed early')
  release()
  await expect(parley.composer).toHaveValue('Draft of before\n\nTyped early')
})

test('fills the composer from an example before the page’s scripts are there', async ({ parley, page }) => {
  const release = await withoutScripts(page)
  await page.getByRole('button', { name: /Draft a kind reply/ }).click()
  await page.getByRole('button', { name: /Compare SQLite and Postgres/ }).click()
  await expect(parley.composer).toHaveValue('Compare SQLite and Postgres for a small service, as a table')
  await expect(parley.composer).toBeFocused()
  release()
  await expect(page.getByRole('combobox', { name: 'Model' })).toBeEnabled()
  await expect(parley.composer).toHaveValue('Compare SQLite and Postgres for a small service, as a table')
  await expect(parley.send).toBeEnabled()
})

test('puts an example after a draft, never in its place', async ({ parley, page }) => {
  await parley.open()
  await parley.composer.fill('My own words')
  await page.getByRole('button', { name: /Compare SQLite and Postgres/ }).click()
  await expect(parley.composer).toHaveValue(/^My own words\n\nCompare SQLite/)
})

/** Drops a file on the page; whether the browser would have opened it in place of the page. */
const dropFile = (page: Page) =>
  page.evaluate(() => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(['{"prompt":"Hi"}\n'], 'questions.jsonl'))
    return ['dragover', 'drop'].some(type =>
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })),
    )
  })

test('stays where a file is dropped, also before its scripts are there, and takes the file to a batch', async ({
  parley,
  page,
}) => {
  const release = await withoutScripts(page)
  await expect(parley.composer).toBeVisible()
  expect(await dropFile(page)).toBe(false)
  release()
  await expect(page.getByRole('combobox', { name: 'Model' })).toBeEnabled()

  expect(await dropFile(page)).toBe(false)
  await expect(parley.status).toHaveText('Files can’t be added to a chat.')
  await page.getByRole('link', { name: 'Use in a batch' }).click()
  await expect(page).toHaveURL(/\/batch$/)
  await expect(page.getByText('questions.jsonl')).toBeVisible()
})
