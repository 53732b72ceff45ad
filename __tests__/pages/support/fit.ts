import type { Page } from '@playwright/test'

/** How far the page sticks out sideways. Not by `innerWidth`, which grows with it on a phone. */
export function sidewaysOverflow(page: Page): Promise<number> {
  const { width } = page.viewportSize() ?? { width: 0 }
  return page.evaluate(viewport => Math.max(0, document.documentElement.scrollWidth - viewport), width)
}

/** What can be pressed and is less than 24 px wide or high (WCAG 2.2, 2.5.8). */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, a, select, summary, label:has(input[type=file])')]
      .filter(target => target.checkVisibility())
      .filter(target => {
        const { width, height } = target.getBoundingClientRect()
        return width < 24 || height < 24
      })
      .map(target => target.outerHTML),
  )
}
