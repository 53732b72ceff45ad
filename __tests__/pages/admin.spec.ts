import { readFile } from 'node:fs/promises'
import { recommendationsReport } from '#lib/http/openapi/answers/recommendations.ts'
import { ADMIN_TOKEN, expect, MODEL, test } from './support/admin.ts'
import { RECOMMENDATIONS } from './support/admin-answers.ts'
import { SERVERS } from './support/servers.ts'

test('signs in with the admin token, which stays in no storage and no URL, and out again', async ({
  admin,
  page,
  context,
}) => {
  await admin.enter()
  await expect(page.getByText('Signed in with the admin token')).toBeVisible()
  expect(page.url()).not.toContain(ADMIN_TOKEN)
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))
  expect(kept).not.toContain(ADMIN_TOKEN)
  const cookies = (await context.cookies()).filter(({ name }) => name.includes('admin'))
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }])
  expect(JSON.stringify(cookies)).not.toContain(ADMIN_TOKEN)

  await page.reload()
  await expect(page.getByText('Signed in with the admin token')).toBeVisible()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(admin.alert).toHaveText('You are signed out.')
  await page.reload()
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
})

test('signs in with an admin’s key, and says why a member’s key and a wrong token do not', async ({
  admin,
  page,
  unique,
}) => {
  const chief = await admin.create({ name: `chief ${unique}`, role: 'admin' })
  const member = await admin.create({ name: `member ${unique}` })
  await admin.open()
  await admin.signIn('not the token')
  await expect(admin.alert).toContainText('neither the admin token nor a valid key')
  await admin.signIn('a-wrong-token')
  await expect(admin.alert).toContainText('neither the admin token nor a valid key')
  await admin.signIn(member.key)
  await expect(admin.alert).toContainText('has the role “member”')
  await admin.signIn(chief.key)
  await expect(page.getByText(`Signed in with the key “chief ${unique}”`)).toBeVisible()
})

test('makes an address wait after ten wrong tokens in a minute, and counts down', async ({
  admin,
  page,
  context,
}) => {
  await context.setExtraHTTPHeaders({ 'x-forwarded-for': '10.9.8.7' })
  await admin.open()
  const guess = () => page.request.post('/api/admin/session', { headers: { authorization: 'Bearer wrong' } })
  const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await guess()).status()))
  expect(new Set(statuses)).toEqual(new Set([401]))
  await admin.signIn('wrong')
  await expect(admin.alert).toContainText('Too many wrong credentials')
  await expect(page.locator('[data-countdown]')).toHaveText(/^You can try again in \d+ seconds?\.$/)
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeDisabled()
})

test('says on a gateway without ADMIN_TOKEN how to set one', async ({ parley, page }) => {
  await parley.page.goto(`${SERVERS.open.url}/admin`)
  await expect(page.getByRole('heading', { name: 'The admin API is switched off' })).toBeVisible()
  await expect(page.getByRole('main')).toContainText('set ADMIN_TOKEN (at least 16 characters)')
  await expect(page.locator('pre')).toHaveText('echo "ADMIN_TOKEN=$(openssl rand -hex 24)" >> .env')
})

test('leads back to the sign-in form when the session has ended, and says so', async ({
  admin,
  page,
  context,
}) => {
  await admin.enter()
  await context.clearCookies()
  await page.getByRole('combobox', { name: 'By' }).selectOption('Owner')
  await expect(admin.alert).toHaveText('Your session has ended. Sign in again.')
  await expect(page.getByLabel('Admin token or an admin’s key')).toBeFocused()
})

test('creates a key with limits and scopes, and shows its secret once', async ({
  admin,
  page,
  context,
  unique,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await admin.enter()
  await page.getByRole('button', { name: 'New key' }).click()
  const form = page.getByRole('form', { name: 'New key' })
  await expect(form.getByLabel('Name')).toBeFocused()
  await form.getByLabel('Name').fill(`made ${unique}`)
  await form.getByLabel('Owner').fill(`owner ${unique}`)
  await form.getByText('Limits and scopes').click()
  await form.getByLabel('Requests a minute').fill('60')
  await form.getByLabel('Calls at once').fill('5')
  await form.getByLabel('Budget a month').fill('12.5')
  await form.getByLabel('Models').fill(MODEL)
  await form.getByLabel('Expires').fill('2099-01-01T12:00')
  await form.getByRole('button', { name: 'Create key' }).click()

  await expect(page.getByRole('heading', { name: `The secret of “made ${unique}”` })).toBeFocused()
  const secret = (await page.locator('[data-secret]').textContent()) ?? ''
  await page.getByRole('button', { name: 'Copy secret' }).click()
  await expect(page.getByRole('button', { name: 'Copied', exact: true })).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret)
  expect(await admin.ask(secret)).toBe(200)
  expect(await admin.ask(secret, 'mock')).toBe(403)

  const card = admin.key(`made ${unique}`)
  await expect(card.getByRole('list', { name: 'Limits' })).toHaveText(
    `60 requests a minute5 calls at oncemodels ${MODEL}$12.50 a month`,
  )
  await expect(card).toContainText(`owner owner ${unique}`)
  await expect(card).toContainText('expires Jan 1, 2099')
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await expect(page.getByRole('button', { name: 'New key' })).toBeFocused()
  await page.reload()
  await expect(card).toBeVisible()
  expect(await page.content()).not.toContain(secret)
})

test('says what is wrong with a refused setting, and keeps what was typed', async ({ admin, page }) => {
  await admin.enter()
  await page.getByRole('button', { name: 'New key' }).click()
  const form = page.getByRole('form', { name: 'New key' })
  await form.getByLabel('Name').fill('Refused')
  await form.getByText('Limits and scopes').click()
  await form.getByLabel('Routes').fill('no path')
  await form.getByRole('button', { name: 'Create key' }).click()
  await expect(form.getByRole('alert')).toContainText('must be a path such as /v1/chat/completions')
  await expect(form.getByLabel('Name')).toHaveValue('Refused')
  await form.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByRole('button', { name: 'New key' })).toBeFocused()
})

test('changes a key’s name, limits and budget, and takes a limit away', async ({ admin, page, unique }) => {
  const limits = { requestsPerMinute: 60, concurrency: 5 }
  const { id } = await admin.create({ name: `first ${unique}`, limits, budgetUsd: { day: 1, month: 2 } })
  await admin.enter()
  await page.getByRole('button', { name: `Change first ${unique}` }).click()
  const form = page.getByRole('form', { name: `Settings of first ${unique}` })
  await form.getByLabel('Name').fill(`second ${unique}`)
  await form.getByLabel('Requests a minute').fill('')
  await form.getByLabel('Budget a day').fill('1.5')
  await form.getByRole('button', { name: 'Save key' }).click()

  const card = admin.key(`second ${unique}`)
  await expect(card.getByRole('button', { name: 'Change' })).toBeFocused()
  await expect(card).toContainText('5 calls at once·$1.50 a day·$2.00 a month'.replaceAll('·', ''))
  await expect(card).toContainText('$0.00 of $1.50 spent (0 %)')
  expect(await admin.api('GET', `keys/${id}`)).toMatchObject({
    name: `second ${unique}`,
    limits: { concurrency: 5 },
    budgetUsd: { day: 1.5, month: 2 },
  })
  await expect(page.getByRole('status')).toHaveText(`The key “second ${unique}” is saved.`)
})

test('rotates a key: the old secret stays valid for the chosen time beside the new one', async ({
  admin,
  page,
  unique,
}) => {
  const old = await admin.create({ name: `rotated ${unique}` })
  await admin.enter()
  await page.getByRole('button', { name: `Rotate rotated ${unique}` }).click()
  await page.getByRole('dialog').getByLabel('The old secret').selectOption('Stays valid for an hour')
  await page.getByRole('button', { name: 'Rotate key' }).click()
  const first = (await page.locator('[data-secret]').textContent()) ?? ''
  expect(first).not.toBe(old.key)
  expect([await admin.ask(old.key), await admin.ask(first)]).toEqual([200, 200])

  await page.getByRole('button', { name: `Rotate rotated ${unique}` }).click()
  await page.getByRole('dialog').getByLabel('The old secret').selectOption('Ends at once')
  await page.getByRole('button', { name: 'Rotate key' }).click()
  await expect(page.locator('[data-secret]')).not.toHaveText(first)
  expect(await admin.ask(first)).toBe(401)
})

test('revokes a key only after asking, and moves the focus to what stays', async ({
  admin,
  page,
  unique,
}) => {
  const { key } = await admin.create({ name: `ended ${unique}` })
  await admin.enter()
  const card = admin.key(`ended ${unique}`)
  await page.getByRole('button', { name: `Revoke ended ${unique}` }).click()
  await expect(page.getByRole('dialog')).toContainText(`Revoke “ended ${unique}”`)
  await page.keyboard.press('Escape')
  expect(await admin.ask(key)).toBe(200)

  await page.getByRole('button', { name: `Revoke ended ${unique}` }).click()
  await page.getByRole('button', { name: 'Revoke key' }).click()
  await expect(card).toHaveAttribute('data-key-state', 'revoked')
  await expect(card).toContainText('Revoked on')
  await expect(card.getByRole('heading')).toBeFocused()
  await expect(card.getByRole('button')).toHaveCount(0)
  expect(await admin.ask(key)).toBe(401)
})

test('lists keys newest first, ten at a time', async ({ admin, page, unique }) => {
  for (let index = 0; index < 11; index++) await admin.create({ name: `${unique} ${index}` })
  await admin.enter()
  await expect(admin.key(`${unique} 10`)).toBeVisible()
  await expect(admin.key(`${unique} 0`)).toHaveCount(0)
  await page.getByRole('button', { name: 'Older keys' }).click()
  await expect(admin.key(`${unique} 0`)).toBeVisible()
  const names = await page.getByRole('article', { name: unique }).getByRole('heading').allTextContents()
  expect(names).toEqual(Array.from({ length: 11 }, (_, index) => `${unique} ${10 - index}`))
})

test('sets a budget of an owner, shows what is spent of it, and gives a notice from 80 % on', async ({
  admin,
  page,
  unique,
}) => {
  const owner = `team ${unique}`
  const { key } = await admin.create({ name: `spender ${unique}`, owner })
  await admin.api('PUT', `budgets/${encodeURIComponent(`owner:${owner}`)}`, { month: 100 })
  expect(await admin.ask(key)).toBe(200)
  await admin.enter()
  const budget = admin.budget(`owner ${owner}`)
  await expect(budget).toContainText('This month: $0.021 of $100.00 spent (0 %), $0.00 reserved')
  const notice = page.getByRole('region', { name: 'Budget notices' }).getByRole('listitem')
  await expect(notice.filter({ hasText: owner })).toHaveCount(0)

  await budget.getByRole('button', { name: 'Change limits' }).click()
  await budget.getByLabel('A month, in US dollars').fill('0.025')
  await budget.getByRole('button', { name: 'Save limits' }).click()
  await expect(budget.getByRole('button', { name: 'Change limits' })).toBeFocused()
  const text = `The month’s budget of owner ${owner} has reached 80 %: $0.021 of $0.025 spent (84 %, 80 % reached)`
  await expect(notice.filter({ hasText: owner })).toContainText(text)
  await expect(page.getByRole('status')).toContainText(text)
  expect(await admin.ask(key)).toBe(429)

  await page.reload()
  await expect(notice.filter({ hasText: owner })).toContainText(text)
})

test('gives the notice too when 80 % is reached while the page is open', async ({ admin, page, unique }) => {
  const owner = `watched ${unique}`
  const { key } = await admin.create({ name: `watched ${unique}`, owner })
  await admin.api('PUT', `budgets/${encodeURIComponent(`owner:${owner}`)}`, { day: 0.025 })
  await page.clock.install()
  await admin.enter()
  await expect(admin.budget(`owner ${owner}`)).toContainText('$0.00 of $0.025 spent')
  expect(await admin.ask(key)).toBe(200)
  await page.clock.runFor(120_000)
  await expect(page.getByRole('region', { name: 'Budget notices' })).toContainText(
    `The day’s budget of owner ${owner} has reached 80 %`,
  )
})

test('shows the budget of an owner who has no key yet', async ({ admin, unique }) => {
  await admin.api('PUT', `budgets/${encodeURIComponent(`owner:early ${unique}`)}`, { month: 7 })
  await admin.enter()
  await expect(admin.budget(`owner early ${unique}`)).toContainText('of $7.00 spent')
})

test('shows the budget of all callers, and of an owner by name', async ({ admin, page, unique }) => {
  await admin.enter()
  await expect(admin.budget('all callers')).toContainText('no limit; renews in')
  await page.getByLabel('Budget of another owner').fill(`elsewhere ${unique}`)
  await page.getByRole('button', { name: 'Show budget' }).click()
  await expect(admin.budget(`owner elsewhere ${unique}`)).toContainText('$0.00 spent')
})

test('shows usage by model, key, owner and day with exact costs, and an unknown price as one', async ({
  admin,
  page,
  unique,
}) => {
  const owner = `user ${unique}`
  const { key } = await admin.create({ name: `used ${unique}`, owner })
  const unpriced = `openai/unpriced-${unique}`
  for (const model of [MODEL, MODEL, unpriced]) expect(await admin.ask(key, model)).toBe(200)
  const mine = async () => {
    const { rows } = (await admin.api('GET', 'usage?by=owner')) as {
      rows: { owner: string; requests: number }[]
    }
    return rows.find(row => row.owner === owner)?.requests
  }
  await expect.poll(mine).toBe(3)
  await admin.enter()
  const row = (name: string) => page.locator('table.usage tbody tr').filter({ hasText: name })
  await expect(row(`unpriced-${unique}`)).toContainText('price unknown')
  await expect(row(`unpriced-${unique}`)).not.toContainText('$0.00price')
  for (const [by, name] of [
    ['Key', `used ${unique}`],
    ['Owner', owner],
  ] as const) {
    await page.getByRole('combobox', { name: 'By' }).selectOption(by)
    await expect(row(name).getByRole('cell')).toHaveText([
      '3',
      '300,000 / 30,000',
      '$0.042, price unknown for 1 attempt',
      '0 / $0.00',
      '0',
      /^\d+ ms \/ \d+ ms$/,
    ])
  }
  await page.getByRole('combobox', { name: 'By' }).selectOption('Day')
  await expect(page.locator('table.usage tbody tr')).toHaveCount(1)
  await page.getByText('Cost by day as a table').click()
  const days = page.getByRole('table', { name: 'Cost by day' }).locator('tbody tr')
  await expect(days).toHaveCount(30)
  await expect(days.first()).toContainText('and more of unknown price')
  await expect(page.locator('.cost-chart .bar-of-day')).toHaveCount(30)

  await page.getByLabel('Period').selectOption('Today')
  await expect(days).toHaveCount(1)
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'CSV' }).click()
  const csv = await readFile(await (await download).path(), 'utf8')
  expect(csv).toContain('costNanoUsd')
})

test('says of a period that ends before it begins that it cannot be', async ({ admin, page }) => {
  await admin.enter()
  await page.getByLabel('Period').selectOption('Other days')
  await page.getByLabel('First day').fill('2026-11-20')
  await page.getByLabel('Last day').fill('2026-11-10')
  await expect(admin.alert).toContainText('from: must be before to')
})

test('shows recommendations as sentences with their figures', async ({ admin, page }) => {
  expect(recommendationsReport.parse(RECOMMENDATIONS)).toEqual(RECOMMENDATIONS)
  await page.route('**/api/admin/usage/recommendations', route => route.fulfill({ json: RECOMMENDATIONS }))
  await admin.enter()
  const cards = page.getByRole('region', { name: 'Recommendations' }).getByRole('article')
  await expect(cards).toHaveCount(RECOMMENDATIONS.recommendations.length)
  await expect(cards.first()).toContainText('gpt-4o-mini, which answered 310 of the kind')
  await expect(cards.first()).toContainText('saves $38.712345678')
  await expect(cards.first().getByRole('list')).toContainText('gpt-4o: 1,204 requests, 3 errors')
})
