import type { Page, TestInfo } from '@playwright/test'

/** With LOOKS=1, pictures for human eyes; no test compares them. */
export async function keepLooks(page: Page, state: string, { project }: TestInfo): Promise<void> {
  if (!process.env.LOOKS) return
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: `test-results/looks/${project.name}-${state}.png`, fullPage: true })
}
