import { type CDPSession, expect, type Page, test } from '@playwright/test'
import { COLOUR_RULES, faultsOf } from './axe.ts'
import { keepLooks } from './looks.ts'
import { PHONE } from './phone.ts'

export type LookName = 'light' | 'dark' | '320 px'

/** Checks the state that the page has reached in every look: of WCAG 2.2 AA, and of what `check` expects. */
export type EveryLook = (state: string, check?: (look: LookName) => Promise<void>) => Promise<void>

/**
 * Each state is reached once, on a screen of 320 px, where that is most difficult, and is then looked at on a desktop in
 * light and in dark, and on a phone.
 *
 * @param page has not been opened yet
 */
export async function everyLookOf(page: Page): Promise<EveryLook> {
  const desktop = page.viewportSize()
  if (!desktop) throw new Error('The page has no size to return to.')
  const devtools = await page.context().newCDPSession(page)
  await narrow(page, devtools)

  return async (state, check) => {
    const look = (name: LookName, rules?: readonly string[]) =>
      test.step(`in ${name}`, async () => {
        await settled(page)
        await keepLooks(page, `${name}-${state}`)
        expect(await faultsOf(page, { only: rules })).toEqual([])
        await check?.(name)
      })
    await devtools.send('Emulation.clearDeviceMetricsOverride')
    await page.setViewportSize(desktop)
    await look('light')
    await page.emulateMedia({ colorScheme: 'dark' })
    // The page is the same but for its colours.
    await look('dark', COLOUR_RULES)
    await page.emulateMedia({ colorScheme: 'light' })
    await narrow(page, devtools)
    // Not before: a page that was touched has no mouse until it is loaded again.
    await devtools.send('Emulation.setTouchEmulationEnabled', { enabled: true })
    await look('320 px')
  }
}

async function narrow(page: Page, devtools: CDPSession): Promise<void> {
  const { viewport } = PHONE
  await page.setViewportSize(viewport)
  await devtools.send('Emulation.setDeviceMetricsOverride', {
    ...viewport,
    deviceScaleFactor: 1,
    mobile: true,
  })
}

/** Returns once the page is laid out, with every transition at its end. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let frames = 0; frames < 2; frames += 1) await new Promise(requestAnimationFrame)
    const transitions = () => document.getAnimations().filter(running => running instanceof CSSTransition)
    for (let running = transitions(); running.length > 0; running = transitions())
      for (const transition of running) transition.finish()
  })
}
