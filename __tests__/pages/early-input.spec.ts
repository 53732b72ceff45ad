import type { Page } from '@playwright/test'
import { expect, test } from './support/parley.ts'

/** Holds the page's scripts back, as a slow network does, until they are released. */
async function withoutScripts(page: Page): Promise<() => void> {
  const released = Promise.withResolvers<void>()
  await page.route('**/_next/static/**/*.js', async route => {
    await released.promise
    await route.continue()
  })
  await page.goto('/', { waitUntil: 'commit' })
  return released.resolve
}

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
