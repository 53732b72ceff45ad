import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'

/** All the rules that depend on colours. */
export const COLOUR_RULES: readonly string[] = ['color-contrast', 'link-in-text-block']

/** Absent: every rule. */
type Rules = Readonly<{ only?: readonly string[] | undefined; except?: readonly string[] | undefined }>

/** What keeps somebody from using the page, by WCAG 2.2 AA and good practice. */
export async function faultsOf(page: Page, { only, except = [] }: Rules = {}): Promise<string[]> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const builder = new AxeBuilder({ page })
    // All rules run, but what passes them is not described: of 4,000 elements that took most of the time.
    .options({ resultTypes: ['violations'] })
    // No second page for the results: there are no frames of other sites to collect them from.
    .setLegacyMode()
  const chosen = only ? builder.withRules([...only]) : builder.withTags(tags).disableRules([...except])
  const { violations } = await chosen.analyze()
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}
