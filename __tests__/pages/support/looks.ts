import type { Page, TestInfo } from '@playwright/test'

/** Pictures for human eyes; no test compares them. */
export async function keepLooks(page: Page, state: string, { project }: TestInfo): Promise<void> {
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: `test-results/looks/${project.name}-${state}.png` })
}
