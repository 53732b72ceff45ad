import type { APIResponse } from '@playwright/test'
import { expect, test } from './support/parley.ts'

const policyOf = (response: APIResponse) => response.headers()['content-security-policy'] ?? ''
const nonceOf = (policy: string) => /'nonce-([^']+)'/.exec(policy)?.[1]

test('gives every page view a fresh nonce, and only its own scripts carry it', async ({ request }) => {
  const [first, second] = [await request.get('/'), await request.get('/')]
  const nonce = nonceOf(policyOf(first))
  expect(nonce).toMatch(/^[\w+/]{22}==$/)
  expect(nonceOf(policyOf(second))).not.toBe(nonce)

  const scripts = (await first.text()).match(/<script[^>]*>/g) ?? []
  expect(scripts.length).toBeGreaterThan(0)
  expect(scripts.filter(tag => !tag.includes(`nonce="${nonce}"`))).toEqual([])
})

test('ignores a nonce that the client sends', async ({ request }) => {
  const headers = {
    'x-nonce': 'of-the-client',
    'content-security-policy': "script-src 'nonce-of-the-client'",
    'content-security-policy-report-only': "script-src 'nonce-of-the-client'",
  }
  const response = await request.get('/', { headers })
  expect(policyOf(response)).not.toContain('of-the-client')
  expect(await response.text()).not.toContain('of-the-client')
})

for (const path of ['/', '/docs', '/nowhere']) {
  test(`sends the security headers with ${path}`, async ({ request }) => {
    const response = await request.get(path)
    expect(policyOf(response)).toContain("default-src 'none'")
    expect(policyOf(response)).toContain("require-trusted-types-for 'script'")
    expect(response.headers()).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'strict-origin-when-cross-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
    expect(response.headers()['permissions-policy']).toBeTruthy()
    expect(response.headers()['x-powered-by']).toBeUndefined()
    expect(response.headers()['strict-transport-security'], 'over plain http').toBeUndefined()
  })
}

test('refuses markup and scripts that are written as strings', async ({ page }) => {
  await page.goto('/')
  const outcomes = await page.evaluate(() => {
    const attempts = [
      () => document.createElement('div').insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>'),
      () => Object.assign(document.createElement('script'), { src: 'https://elsewhere.example/x.js' }),
      () => Object.assign(document.createElement('script'), { src: '/_next/static/../../api/x.js' }),
      () => Object.assign(document.createElement('script'), { text: 'alert(1)' }),
    ]
    return attempts.map(attempt => {
      try {
        attempt()
        return 'let through'
      } catch {
        return 'refused'
      }
    })
  })
  expect(outcomes).toEqual(['refused', 'refused', 'refused', 'refused'])
})

test('says so, with a way back, where there is no page', async ({ page }) => {
  const response = await page.goto('/nowhere')
  expect(response?.status()).toBe(404)
  await page.getByRole('link', { name: 'Go to the chat' }).click()
  await expect(page.getByRole('textbox', { name: 'Your question' })).toBeVisible()
})
