import { usageReport } from '#lib/http/openapi/answers/usage.ts'
import { type Admin, expect, test } from './support/admin.ts'
import { RECOMMENDATIONS, usageByDay } from './support/admin-answers.ts'
import { sidewaysOverflow, smallTargets } from './support/fit.ts'
import { SERVERS } from './support/servers.ts'

const STATES: Record<string, (admin: Admin, unique: string) => Promise<void>> = {
  'signed out': admin => admin.open(),
  refused: async admin => {
    await admin.open()
    await admin.signIn('wrong')
    await expect(admin.alert).toBeVisible()
  },
  'switched off': async ({ page }) => {
    await page.goto(`${SERVERS.open.url}/admin`)
    await expect(page.getByRole('heading', { name: 'The admin API is switched off' })).toBeVisible()
  },
  'full of figures': async (admin, unique) => {
    await fill(admin, unique)
    await admin.enter()
    await expect(admin.page.getByRole('region', { name: 'Budget notices' })).toBeVisible()
    await expect(admin.page.getByRole('table', { name: /^Usage by model/ })).toBeVisible()
    await admin.page.getByText('Cost by day as a table').click()
  },
  'creating a key': async admin => {
    await admin.enter()
    await admin.page.getByRole('button', { name: 'New key' }).click()
    await admin.page.getByText('Limits and scopes').click()
  },
  'showing a secret': async (admin, unique) => {
    await admin.enter()
    await admin.page.getByRole('button', { name: 'New key' }).click()
    await admin.page.getByRole('textbox', { name: 'Name' }).fill(`Shown ${unique}`)
    await admin.page.getByRole('button', { name: 'Create key' }).click()
    await expect(admin.page.locator('[data-secret]')).toBeVisible()
  },
  'asking before a rotation': async (admin, unique) => {
    await admin.create({ name: `Asked ${unique}` })
    await admin.enter()
    await admin.page.getByRole('button', { name: `Rotate Asked ${unique}` }).click()
    await expect(admin.page.getByRole('dialog')).toBeVisible()
  },
}

/** Keys in every state, a budget near its end, a month of usage, and recommendations. */
async function fill(admin: Admin, unique: string): Promise<void> {
  const owner = `Search team ${unique}`
  const ended = await admin.create({ name: `Old dashboard ${unique}` })
  await admin.api('POST', `keys/${ended.id}/revoke`)
  const { key } = await admin.create({
    name: `Search in production, with a rather long name ${unique}`,
    owner,
    scopes: { routes: ['/v1/*'], models: ['gpt-4o-mini', 'anthropic/*'] },
    limits: { requestsPerMinute: 60, tokensPerMinute: 100_000, concurrency: 5 },
    budgetUsd: { day: 5, month: 0.1 },
    expiresAt: '2099-01-01T00:00:00Z',
  })
  await admin.create({ name: `Operations ${unique}`, role: 'admin' })
  await admin.api('PUT', `budgets/${encodeURIComponent(`owner:${owner}`)}`, { day: 0.025, month: 100 })
  expect(await admin.ask(key)).toBe(200)
  const usage = usageByDay(Date.now())
  usageReport.parse(usage)
  await admin.page.route('**/api/admin/usage?by=day*', route => route.fulfill({ json: usage }))
  await admin.page.route('**/api/admin/usage/recommendations', route =>
    route.fulfill({ json: RECOMMENDATIONS }),
  )
}

for (const [state, reach] of Object.entries(STATES)) {
  test(`the admin page can be used by everyone when ${state}, in light, in dark and at 320 px`, async ({
    everyLook,
    admin,
    page,
    unique,
  }) => {
    await reach(admin, unique)
    await everyLook(`admin-${state}`, async () => {
      expect(await sidewaysOverflow(page), 'nothing sticks out sideways').toBe(0)
      expect(await smallTargets(page), 'everything can be touched').toEqual([])
    })
  })
}
