import type { APIRequestContext, Locator, Page } from '@playwright/test'
import { ADMIN_TOKEN } from './admin-gateway.ts'
import { test as base, expect } from './parley.ts'
import { MODEL } from './worker-gateway.ts'

type MadeKey = Readonly<{ id: string; key: string; name: string }>

export type Admin = Readonly<{
  page: Page
  /** Opens the page without a session. */
  open: () => Promise<void>
  signIn: (token?: string) => Promise<void>
  /** Opens the page and signs in. */
  enter: () => Promise<void>
  /** The card of a key, as the page shows it. */
  key: (name: string) => Locator
  budget: (name: string) => Locator
  alert: Locator
  /** Creates a key past the page. */
  create: (settings: object) => Promise<MadeKey>
  /** Calls the admin API past the page. */
  api: (method: string, path: string, data?: object) => Promise<unknown>
  /** Asks a model something new with a key, and returns the status. */
  ask: (key: string, model?: string) => Promise<number>
}>

/** An admin of a gateway whose provider answers at length. Tests share the gateway, so each has names of its own. */
export const test = base.extend<{ admin: Admin; unique: string }>({
  baseURL: ({ adminGateway }, use) => use(adminGateway),
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see that nothing is asked for
  unique: async ({}, use, { testId }) => use(testId.slice(-8)),
  admin: async ({ parley: { page }, request }, use) => use(adminOf(page, request)),
})

export { ADMIN_TOKEN, expect, MODEL }

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

function adminOf(page: Page, request: APIRequestContext): Admin {
  const open = async () => {
    await page.goto('/admin')
    await expect(page.getByLabel('Admin token or an admin’s key')).toBeVisible()
  }
  const signIn = async (token = ADMIN_TOKEN) => {
    await page.getByLabel('Admin token or an admin’s key').fill(token)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  const api = async (method: string, path: string, data?: object) => {
    const reply = await request.fetch(`/api/admin/${path}`, { method, headers: bearer(ADMIN_TOKEN), data })
    expect(reply.ok(), await reply.text()).toBe(true)
    return await reply.json()
  }
  return {
    page,
    open,
    signIn,
    enter: async () => {
      await open()
      await signIn()
      await expect(page.getByRole('heading', { name: 'Keys', exact: true })).toBeVisible()
      await expect(page.getByText(/^Loading /)).toHaveCount(0)
    },
    key: name => page.getByRole('article', { name, exact: true }),
    alert: page.getByRole('main').getByRole('alert'),
    budget: name => page.getByRole('article', { name: `Budget of ${name}`, exact: true }),
    create: async settings => (await api('POST', 'keys', settings)) as MadeKey,
    api,
    ask: async (key, model = MODEL) => {
      const messages = [{ role: 'user', content: `Hello ${crypto.randomUUID()}` }]
      const data = { model, messages, max_tokens: 10_000 }
      const reply = await request.post('/v1/chat/completions', { headers: bearer(key), data })
      return reply.status()
    },
  }
}
