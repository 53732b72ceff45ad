import { gzipSync } from 'node:zlib'
import type { Locator, Page, Response } from '@playwright/test'
import { COLOUR_RULES, faultsOf } from './support/axe.ts'
import { sidewaysOverflow } from './support/fit.ts'
import { expect, test } from './support/parley.ts'

const LIMIT_BYTES = 170_000

const open = async (page: Page): Promise<void> => {
  await page.goto('/docs')
  await expect(page.getByRole('heading', { name: 'API reference' })).toBeVisible()
}

/** Opens the console of an operation. */
const consoleOf = async (page: Page, summary: string): Promise<Locator> => {
  await page.getByRole('button', { name: `Try it: ${summary}`, exact: true }).click()
  return page.getByRole('region', { name: `Request: ${summary}`, exact: true })
}

const showAll = (page: Page): Promise<void> =>
  page.locator('details').evaluateAll((all: HTMLDetailsElement[]) => {
    for (const details of all) details.open = true
  })

/**
 * Leaves one of each kind of operation and schema: what has the same elements with the same classes looks the same. The
 * rules about looks would take ten seconds for all 14,000 elements.
 */
const keepOneOfEach = (page: Page): Promise<void> =>
  page.locator('article, details').evaluateAll(parts => {
    const kept = new Set<string>()
    const kindOf = (element: Element, part: Element): string =>
      element === part || !element.parentElement
        ? ''
        : `${kindOf(element.parentElement, part)} ${element.tagName}.${element.getAttribute('class')}`
    for (const part of parts) {
      const kinds = [...part.querySelectorAll('*')].map(element => kindOf(element, part))
      if (kinds.every(kind => kept.has(kind))) part.remove()
      for (const kind of kinds) kept.add(kind)
    }
  })

test('can be used by everyone, with all schemas and a console open, in light, in dark, at 320 and at 390 px', async ({
  everyLook,
  parley: { page },
}) => {
  await open(page)
  const console = await consoleOf(page, 'Ask a model')
  await console.getByRole('button', { name: 'Send' }).click()
  await expect(console.locator('[data-exchange=done]')).toBeVisible()
  await showAll(page)
  expect(await sidewaysOverflow(page), 'nothing sticks out at 320 px').toBe(0)
  await page.setViewportSize({ width: 390, height: 844 })
  expect(await sidewaysOverflow(page), 'nothing sticks out at 390 px').toBe(0)
  expect(await faultsOf(page, { except: [...COLOUR_RULES, 'target-size'] })).toEqual([])
  await keepOneOfEach(page)
  await expect(console).toBeVisible()
  await everyLook('docs', async () => {
    expect(await sidewaysOverflow(page), 'nothing sticks out sideways').toBe(0)
  })
})

test('shows every operation of the document, each reached from the navigation', async ({
  parley: { page },
}) => {
  await open(page)
  const { paths } = await (await page.request.get('/openapi.json')).json()
  const ids = Object.values<Record<string, { operationId: string }>>(paths).flatMap(methods =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  expect(ids.length).toBeGreaterThan(30)
  const shown = await page.locator('article [id]').evaluateAll(all => all.map(({ id }) => id))
  expect(shown.filter(id => ids.includes(id)).toSorted()).toEqual(ids.toSorted())
  const nav = page.getByRole('navigation', { name: 'Operations' })
  const targets = await nav
    .getByRole('link')
    .evaluateAll(links => links.map(link => link.getAttribute('href')?.slice(1) ?? ''))
  expect(targets.filter(id => ids.includes(id)).toSorted()).toEqual(ids.toSorted())
  await nav.getByRole('link', { name: 'Count the input’s tokens' }).click()
  await expect(page.getByRole('heading', { name: 'Count the input’s tokens' })).toBeInViewport()
})

test('opens a schema at a link to it', async ({ parley: { page } }) => {
  await open(page)
  await expect(page.getByText('Fields of ChatAnswer')).toBeHidden()
  await page.getByRole('link', { name: 'ChatAnswer' }).first().click()
  await expect(page.getByText('Fields of ChatAnswer')).toBeInViewport()
  const fields = page.getByRole('table').filter({ hasText: 'Fields of ChatAnswer' })
  await expect(fields.getByRole('row', { name: /^costUsd/ })).toContainText('never 0 for unknown')
})

test('is reached from the header of the other pages', async ({ parley, page }) => {
  await parley.open()
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'API' }).click()
  await expect(page.getByRole('heading', { name: 'API reference' })).toBeVisible()
  await expect(page).toHaveTitle('API · Parley')
})

test('reads without JavaScript', async ({ browser, baseURL }) => {
  const page = await browser.newPage({ javaScriptEnabled: false })
  await page.goto(`${baseURL}/docs`)
  await expect(page.getByRole('heading', { name: 'Create a chat completion' })).toBeVisible()
  await expect(page.getByRole('tabpanel')).toContainText(`${baseURL}/api/chat`)
  await page.close()
})

test('sends a real request, with its status, headers and body', async ({ parley: { page } }) => {
  await open(page)
  const console = await consoleOf(page, 'Create a chat completion')
  await console
    .getByRole('textbox', { name: 'Body' })
    .fill('{"model":"mock/echo","messages":[{"role":"user","content":"Is it you?"}]}')
  await console.getByRole('button', { name: 'Send' }).click()
  await expect(console.getByText(/^200 OK, complete, [\d,]+ ms$/)).toBeVisible()
  await expect(console.getByRole('figure')).toContainText('"content": "Is it you?"')
  await console.getByText(/response headers$/).click()
  await expect(console.getByText('x-gateway-model: mock/echo')).toBeVisible()
})

test('shows an error with its status and body', async ({ parley: { page } }) => {
  await open(page)
  const console = await consoleOf(page, 'Ask a model')
  await console.getByRole('textbox', { name: 'Body' }).fill('{"prompt": ""}')
  await console.getByRole('button', { name: 'Send' }).click()
  await expect(console.getByText(/^400 Bad Request, complete/)).toBeVisible()
  await expect(console.getByRole('figure')).toContainText('INVALID_INPUT')
})

test('shows a stream while it comes, and stops it', async ({ parley: { page } }) => {
  await open(page)
  const console = await consoleOf(page, 'Ask a model')
  await console.getByRole('combobox', { name: 'Example' }).selectOption('Stream')
  const body = console.getByRole('textbox', { name: 'Body' })
  await expect(body).toHaveValue(/"stream": true/)
  await body.fill('{"prompt": "Take your time", "model": "mock/stall", "stream": true}')
  await console.getByRole('button', { name: 'Send' }).click()
  await expect(console.getByText('200 OK, receiving…')).toBeVisible()
  await expect(console.getByRole('figure')).toContainText('event: delta')
  await console.getByRole('button', { name: 'Stop' }).click()
  await expect(console.getByText(/^200 OK, stopped/)).toBeVisible()
  await expect(console.getByRole('figure')).not.toContainText('event: done')
  await expect(console.getByRole('button', { name: 'Send' })).toBeEnabled()
})

test('sends a form with a file', async ({ parley: { page } }) => {
  await open(page)
  const console = await consoleOf(page, 'Submit a batch as files')
  await console
    .getByLabel('File, as “file”')
    .setInputFiles({ name: 'questions.txt', mimeType: 'text/plain', buffer: Buffer.from('One?') })
  await console.getByRole('button', { name: 'Send' }).click()
  await expect(console.getByText(/^202 Accepted, complete/)).toBeVisible()
  await expect(console.getByRole('figure')).toContainText('"name": "Questions"')
})

test('sends a key in every console, keeps it in memory only, and never copies it', async ({
  parley: { page },
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await open(page)
  const chat = await consoleOf(page, 'Ask a model')
  await chat.getByLabel('API key').fill('sk-of-the-test')
  const jobs = await consoleOf(page, 'List your batches')
  const request = page.waitForRequest(
    sent => sent.url().endsWith('/api/batch/jobs') && 'authorization' in sent.headers(),
  )
  await jobs.getByRole('button', { name: 'Send' }).click()
  expect((await request).headers().authorization).toBe('Bearer sk-of-the-test')
  await chat.getByRole('button', { name: 'Copy as curl' }).click()
  await expect(chat.getByRole('button', { name: 'Copied' })).toBeVisible()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect(copied).toContain(`'${new URL(page.url()).origin}/api/chat'`)
  expect(copied).toContain('"authorization: Bearer $PARLEY_API_KEY"')
  expect(copied).not.toContain('sk-of-the-test')
  const stored = await page.evaluate(
    () => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie,
  )
  expect(stored).not.toContain('sk-of-the-test')
  await page.reload()
  const again = await consoleOf(page, 'Ask a model')
  await expect(again.getByLabel('API key')).toHaveValue('')
})

test('does not send to another site', async ({ parley: { page } }) => {
  await open(page)
  const console = await consoleOf(page, 'List the models')
  await console.getByRole('textbox', { name: 'Path and query' }).fill('//elsewhere.example/api')
  await console.getByRole('button', { name: 'Send' }).click()
  await expect(console.getByText(/Enter a path on this gateway/)).toBeVisible()
})

test('says in plain words why a request was not sent', async ({ parley: { page } }) => {
  await open(page)
  const console = await consoleOf(page, 'List the models')
  const send = console.getByRole('button', { name: 'Send' })
  const headers = console.getByLabel('Headers, one per line')
  await headers.fill('a name: with spaces')
  await send.click()
  await expect(console.getByText('The header “a name” can’t be sent')).toBeVisible()
  await headers.fill('')
  await console.getByLabel('API key').fill('a key with “quotes”')
  await send.click()
  await expect(console.getByText('The header “authorization” can’t be sent')).toBeVisible()
  await console.getByLabel('API key').fill('')
  await page.route('**/api/models', route => route.abort())
  await send.click()
  await expect(console.getByText('Can’t reach Parley.')).toBeVisible()
})

test('has snippets of eight clients with this page’s address, chosen by keyboard and copied', async ({
  parley: { page },
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await open(page)
  const { origin } = new URL(page.url())
  const tabs = page.getByRole('tab')
  await expect(tabs).toHaveText([
    'curl',
    'Python',
    'Node',
    'AI SDK',
    'LangChain',
    'Claude Code',
    'Codex',
    'Open WebUI',
  ])
  await tabs.first().focus()
  for (let tab = 0; tab < 8; tab += 1) {
    await expect(tabs.nth(tab)).toBeFocused()
    await expect(tabs.nth(tab)).toHaveAttribute('aria-selected', 'true')
    await expect(page.getByRole('tabpanel')).toContainText(origin)
    await page.keyboard.press('ArrowRight')
  }
  await expect(tabs.first()).toBeFocused()
  await page.keyboard.press('End')
  await expect(tabs.last()).toBeFocused()
  await page.getByRole('tab', { name: 'Claude Code' }).click()
  await page.getByRole('button', { name: 'Copy snippet' }).click()
  await expect(page.getByRole('tabpanel').getByRole('button', { name: 'Copied' })).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(`ANTHROPIC_BASE_URL=${origin} `)
})

test('opens, sends and closes a console by keyboard', async ({ parley: { page } }) => {
  await open(page)
  const button = page.getByRole('button', { name: 'Try it: Check liveness' })
  await button.focus()
  await page.keyboard.press('Enter')
  const console = page.getByRole('region', { name: 'Request: Check liveness' })
  await page.keyboard.press('Tab')
  await expect(console.getByRole('combobox', { name: 'Method' })).toBeFocused()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(console.getByText(/^200 OK, complete/)).toBeVisible()
  await button.focus()
  await page.keyboard.press('Space')
  await expect(console).toHaveCount(0)
})

test('loads at most 170 kB of compressed JavaScript, and nothing from elsewhere', async ({
  parley: { page },
}, info) => {
  const responses: Response[] = []
  page.on('response', response => responses.push(response))
  await open(page)
  await page.waitForLoadState('networkidle')
  const { origin } = new URL(page.url())
  expect(responses.filter(response => new URL(response.url()).origin !== origin)).toEqual([])
  const scripts = responses.filter(response => response.request().resourceType() === 'script')
  const bodies = await Promise.all(scripts.map(script => script.body()))
  const bytes = bodies.reduce((sum, body) => sum + gzipSync(body).byteLength, 0)
  info.annotations.push({
    type: 'first load',
    description: `${(bytes / 1_000).toFixed(1)} kB of JavaScript`,
  })
  expect(bytes).toBeLessThanOrEqual(LIMIT_BYTES)
  const document = responses.find(response => response.request().resourceType() === 'document')
  expect(gzipSync((await document?.body()) ?? '').byteLength).toBeLessThanOrEqual(100_000)
})
