import type { Page } from '@playwright/test'
import { expect, test } from './support/parley.ts'

const background = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor)

test('follows the device until the reader chooses, and remembers the choice', async ({ parley, page }) => {
  await parley.open()
  await page.emulateMedia({ colorScheme: 'light' })
  const light = await background(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  // Colours change over a moment.
  await expect.poll(() => background(page)).not.toBe(light)

  await page.getByRole('button', { name: 'Theme: system. Switch to light' }).click()
  await expect.poll(() => background(page)).toBe(light)
  await page.reload()
  await expect(page.getByRole('button', { name: 'Theme: light. Switch to dark' })).toBeVisible()
  expect(await background(page)).toBe(light)
})

test('has the chosen theme before anything is painted', async ({ parley, page }) => {
  await parley.open()
  await page.evaluate(() => localStorage.setItem('parley-theme', 'dark'))
  // Without the page's own scripts nothing but the head script can have set it.
  await page.route('**/_next/static/**/*.js', route => route.abort())
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('keeps still for readers who ask for less motion', async ({ parley, page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await parley.open()
  await parley.ask('Hello', 'mock/hang')
  const dot = page.locator('.waiting span').first()
  await expect(dot).toHaveCSS('animation-name', 'none')
})
