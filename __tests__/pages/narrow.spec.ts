import { expect, test } from './support/parley.ts'
import { PHONE } from './support/phone.ts'

test.use(PHONE)

test('fits 320 px: nothing sticks out, everything can be touched', async ({ parley, page }) => {
  await parley.open()
  await parley.discuss(`A long ${'unbroken'.repeat(30)} word`, 'mock')
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)

  const buttons = await page.getByRole('button').all()
  for (const button of buttons) {
    const box = await button.boundingBox()
    expect(box?.height, (await button.getAttribute('aria-label')) ?? '').toBeGreaterThanOrEqual(24)
    expect(box?.width).toBeGreaterThanOrEqual(24)
  }
})
