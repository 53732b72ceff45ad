import { expect, type Locator, type Page } from '@playwright/test'
import { type EveryLook, everyLookOf } from './every-look.ts'
import { test as base } from './worker-gateway.ts'

/** The mock provider's other selves. The gateway takes them by name but does not advertise them. */
const HIDDEN = ['echo', 'long', 'slow', '429', '500', 'cut', 'stall', 'hang'].map(name => `mock/${name}`)

export type Parley = {
  page: Page
  composer: Locator
  send: Locator
  stop: Locator
  status: Locator
  /** The newest answer, whatever its state. */
  answer: Locator
  open: (path?: string) => Promise<void>
  choose: (model: string) => Promise<void>
  ask: (question: string, model?: string) => Promise<void>
  /** Asks, and waits until the answer is complete. */
  discuss: (question: string, model?: string) => Promise<void>
}

/** A visitor of the chat page. A test also fails if the page broke its security policy or threw. */
export const test = base.extend<{ parley: Parley; everyLook: EveryLook }>({
  parley: async ({ page }, use) => {
    const faults: string[] = []
    let hasCrashed = false
    page.on('crash', () => {
      hasCrashed = true
    })
    page.on('pageerror', error => faults.push(error.message))
    page.on('console', message => {
      if (/content security policy|trusted ?type|hydrat/i.test(message.text())) faults.push(message.text())
    })
    await page.route('**/api/models', async route => {
      const { models } = await (await route.fetch()).json()
      await route.fulfill({ json: { models: [...models, ...HIDDEN.map(asModel)] } })
    })
    await use(visitorOf(page))
    // A page that ends on the way back to the chat still asks for its models.
    if (!hasCrashed) await page.unrouteAll({ behavior: 'ignoreErrors' })
    expect(faults, 'policy violations and uncaught errors').toEqual([])
  },
  everyLook: async ({ page }, use) => use(await everyLookOf(page)),
})

export { expect }

const asModel = (id: string) => ({ id, provider: 'mock', available: true })

/** The chat page of one browser tab. */
export function visitorOf(page: Page): Parley {
  const composer = page.getByRole('textbox', { name: 'Your question' })
  const picker = page.getByRole('combobox', { name: 'Model' })
  const answer = page.locator('[data-state]').last()
  const choose = async (model: string) => void (await picker.selectOption(model))
  const ask = async (question: string, model = 'mock') => {
    await choose(model)
    await composer.fill(question)
    await composer.press('Enter')
  }
  return {
    page,
    composer,
    send: page.getByRole('button', { name: 'Send' }),
    stop: page.getByRole('button', { name: 'Stop' }),
    status: page.getByRole('status'),
    answer,
    open: async (path = '/') => {
      await page.goto(path)
      await expect(picker).toBeEnabled()
    },
    choose,
    ask,
    discuss: async (question, model) => {
      await ask(question, model)
      await expect(answer).toHaveAttribute('data-state', 'done')
    },
  }
}
