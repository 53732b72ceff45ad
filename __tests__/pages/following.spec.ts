import type { Page } from '@playwright/test'
import { expect, test } from './support/parley.ts'
import { PHONE } from './support/phone.ts'

for (const [where, use] of Object.entries({ 'on a desktop': {}, 'on a phone': PHONE }))
  test.describe(where, () => {
    test.use(use)

    test.beforeEach(async ({ parley }) => {
      await parley.open()
      await parley.ask('Go on', 'mock/long')
      await expect.poll(() => overflow(parley.page)).toBeGreaterThan(250)
    })

    test('follows the answer while the reader is at its end', async ({ parley }) => {
      await expect(parley.answer).toContainText('Line 160 ')
      await expect.poll(() => distanceToEnd(parley.page)).toBeLessThan(2)
    })

    test('does not scroll the reader who has scrolled up', async ({ parley }) => {
      await parley.page.evaluate(() => scrollBy({ top: -200, behavior: 'instant' }))
      await expect(parley.page.getByRole('button', { name: 'Latest' })).toBeVisible()
      const top = await parley.page.evaluate(() => scrollY)

      await expect(parley.answer).toContainText('Line 160 ')
      expect(await parley.page.evaluate(() => scrollY)).toBe(top)
    })

    test('does not scroll the reader who scrolls up right after the page has followed a long piece', async ({
      parley,
    }) => {
      await expect(parley.answer).toContainText('Line 160 ')
      await expect.poll(() => distanceToEnd(parley.page)).toBeLessThan(2)
      await parley.page.evaluate(async () => {
        let changed = Promise.withResolvers<void>()
        new ResizeObserver(() => changed.resolve()).observe(document.body)
        await changed.promise
        changed = Promise.withResolvers<void>()
        const piece = document.createElement('div')
        piece.style.height = '600px'
        document.body.append(piece)
        // The page's own observer has scrolled by then, and has yet to be given the event of it.
        await changed.promise
        scrollBy({ top: -200, behavior: 'instant' })
      })
      await expect(parley.page.getByRole('button', { name: 'Latest' })).toBeVisible()
    })

    test('follows again once the reader goes back to the end', async ({ parley }) => {
      await parley.page.evaluate(() => scrollBy({ top: -200, behavior: 'instant' }))
      await parley.page.getByRole('button', { name: 'Latest' }).click()

      await expect(parley.page.getByRole('button', { name: 'Latest' })).toHaveCount(0)
      await expect(parley.answer).toContainText('Line 160 ')
      await expect.poll(() => distanceToEnd(parley.page)).toBeLessThan(2)
    })
  })

function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollHeight - innerHeight)
}

function distanceToEnd(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollHeight - innerHeight - scrollY)
}
