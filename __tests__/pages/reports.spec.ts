import { expect, test } from './support/parley.ts'
import { SERVERS } from './support/servers.ts'

test.use({ baseURL: SERVERS.strict.url })

test('reports an error with the request id, but without a word of what was said', async ({ page }) => {
  const reports: string[] = []
  await page.route('http://localhost:3219/**', route => {
    reports.push(route.request().postData() ?? '')
    return route.fulfill({ status: 200, json: {} })
  })
  const started = page.waitForResponse(response =>
    // Chromium keeps no body of some responses, of fonts that came out of its cache for one.
    response.text().then(
      text => text.includes('__SENTRY__'),
      () => false,
    ),
  )
  await page.goto('/?token=in-the-address')
  await started

  await page.getByRole('textbox', { name: 'Your question' }).fill('a very private question')
  const [answer] = await Promise.all([page.waitForResponse('**/api/chat'), page.keyboard.press('Enter')])
  await expect(page.locator('[data-state=done]')).toBeVisible()
  await page.evaluate(
    () =>
      void setTimeout(() => {
        throw new Error('something broke')
      }),
  )

  await expect.poll(() => reports.join('\n')).toContain('something broke')
  expect(reports.join('\n')).toContain(answer.headers()['x-request-id'])
  expect(reports.join('\n')).not.toMatch(/private question|mock provider|in-the-address|cookie/i)
})
