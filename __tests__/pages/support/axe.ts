import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'

/** What keeps somebody from using the page, by WCAG 2.2 AA and good practice. */
export async function faultsOf(page: Page): Promise<string[]> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const { violations } = await new AxeBuilder({ page })
    // All rules run, but what passes them is not described: of 4,000 elements that took most of the time.
    .options({ resultTypes: ['violations'] })
    .withTags(tags)
    // No second page for the results: there are no frames of other sites to collect them from.
    .setLegacyMode()
    .analyze()
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}
