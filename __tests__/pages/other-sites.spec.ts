import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test as base, expect, type Page } from '@playwright/test'
import { GatewayProcess } from '../support/gateway.ts'

type OtherSite = Readonly<{
  gateway: string
  attacker: string
  rebound: string
  /** The status that a request to this route got, whatever the browser lets its page see of it. */
  statusOf: (route: string) => Promise<unknown>
}>

/** A gateway, and a page of another site that the same browser visits. */
const test = base.extend<{ sites: OtherSite }, { gateway: GatewayProcess }>({
  launchOptions: [
    async ({ launchOptions }, use) =>
      use({
        ...launchOptions,
        args: [
          ...(launchOptions.args ?? []),
          '--host-resolver-rules=MAP *.example 127.0.0.1',
          // Chromium's own protection of this machine, which other browsers lack.
          '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
        ],
      }),
    { scope: 'worker' },
  ],
  gateway: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see that nothing is asked for
    async ({}, use) => {
      const gateway = await GatewayProcess.start('native', {
        ENABLE_CONSOLE: 'true',
        RATE_LIMIT_API: '10000/1m',
      })
      await use(gateway)
      await gateway.stop()
    },
    { scope: 'worker' },
  ],
  sites: async ({ gateway }, use) => {
    const site = await startSite()
    const { port } = new URL(gateway.url)
    await use({
      gateway: `http://localhost:${port}`,
      attacker: `http://attacker.example:${(site.address() as AddressInfo).port}`,
      rebound: `http://attacker.example:${port}`,
      statusOf: async route => {
        const isIt = (line: Record<string, unknown>) => line.route === route && line.method === 'POST'
        return (await gateway.until(() => gateway.log.find(isIt), `a POST to ${route}`)).status
      },
    })
    site.close()
  },
})

async function startSite(): Promise<Server> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<title>Another site</title>')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

type Jobs = { jobs: { id: string }[] }

/** What a visitor has at the gateway: their cookie, and their jobs with and without it. */
async function stateOf(page: Page, gateway: string) {
  const cookies = await page.context().cookies(gateway)
  const ids = ({ jobs }: Jobs) => jobs.map(({ id }) => id)
  const asGuest = ids(await (await page.request.get(`${gateway}/api/batch/jobs`)).json())
  const asAddress = ids((await (await fetch(`${gateway}/api/batch/jobs`)).json()) as Jobs)
  return { session: cookies.find(({ name }) => name === 'parley_session')?.value, asGuest, asAddress }
}

async function context(page: Page, gateway: string): Promise<void> {
  await page.goto(gateway)
  await expect
    .poll(async () => (await page.context().cookies(gateway)).map(({ name }) => name))
    .toContain('parley_session')
}

test('a page of another site makes no job without CORS, and no answer of a model', async ({
  page,
  sites,
}) => {
  await context(page, sites.gateway)
  const before = await stateOf(page, sites.gateway)
  expect(before).toMatchObject({ asGuest: [] })

  await page.goto(sites.attacker)
  await page.evaluate(async gateway => {
    const form = new FormData()
    form.append('file', new Blob(['Hello']), 'a.txt')
    await fetch(`${gateway}/api/batch/upload`, {
      method: 'POST',
      mode: 'no-cors',
      credentials: 'include',
      body: form,
    }).catch(() => {})
    const body = new Blob(['{"prompt":"Hi"}'], { type: 'text/plain' })
    navigator.sendBeacon(`${gateway}/api/chat`, body)
  }, sites.gateway)
  expect(await sites.statusOf('/api/batch/upload')).toBe(403)
  expect(await sites.statusOf('/api/chat')).toBe(403)
  expect(await stateOf(page, sites.gateway)).toEqual(before)
})

test('a form of another site does not replace the guest’s session', async ({ page, sites }) => {
  await context(page, sites.gateway)
  const before = await stateOf(page, sites.gateway)

  await page.goto(sites.attacker)
  const answer = page.waitForResponse(response => response.url().endsWith('/api/session'))
  await page.evaluate(gateway => {
    const form = Object.assign(document.createElement('form'), {
      method: 'post',
      action: `${gateway}/api/session`,
    })
    document.body.append(form)
    form.submit()
  }, sites.gateway)
  expect((await answer).status()).toBe(403)
  expect(await stateOf(page, sites.gateway)).toEqual(before)
})

test('a page whose host name was rebound to this machine reads nothing', async ({ page, sites }) => {
  const body = { items: [{ prompt: 'A private question', model: 'mock/echo' }] }
  const made = await fetch(`${sites.gateway}/api/batch/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(made.status).toBe(202)

  // The page itself came from the attacker, before the name pointed here.
  await page.route(`${sites.rebound}/`, route =>
    route.fulfill({ contentType: 'text/html', body: 'Harmless' }),
  )
  await page.goto(sites.rebound)
  const found = await page.evaluate(async () => {
    const paths = ['/api/batch/jobs', '/api/models', '/metrics', '/batch']
    const answers = await Promise.all(paths.map(path => fetch(path)))
    return Promise.all(answers.map(async answer => ({ status: answer.status, body: await answer.text() })))
  })
  expect(found.map(({ status }) => status)).toEqual([403, 403, 403, 403])
  for (const { body } of found) expect(body).toContain('ALLOWED_HOSTS')
  expect((await page.request.get(`${sites.gateway}/api/batch/jobs`)).ok()).toBe(true)
})
