import type { Page } from '@playwright/test'

/** Keeps pictures for human eyes with LOOKS=1; no test compares them. */
export async function keepLooks(page: Page, state: string): Promise<void> {
  if (!process.env.LOOKS) return
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: `test-results/looks/${state}.png`, fullPage: true })
}
