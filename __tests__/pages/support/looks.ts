import type { Page } from '@playwright/test'

/** With LOOKS=1, pictures for human eyes; no test compares them. */
export async function keepLooks(page: Page, state: string): Promise<void> {
  if (!process.env.LOOKS) return
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: `test-results/looks/${state}.png`, fullPage: true })
}
