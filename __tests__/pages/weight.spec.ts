import { gzipSync } from 'node:zlib'
import type { Response } from '@playwright/test'
import { expect, test } from './support/parley.ts'

const LIMIT_BYTES = 170_000

test('loads at most 170 kB of compressed JavaScript, of the batch page only its notifications, nothing of the admin page, and no Sentry without a DSN', async ({
  parley,
  page,
}, info) => {
  const scripts: Response[] = []
  page.on('response', response => {
    if (response.request().resourceType() === 'script') scripts.push(response)
  })
  await parley.open()
  await page.waitForLoadState('networkidle')

  const bodies = await Promise.all(scripts.map(script => script.body()))
  const bytes = bodies.reduce((sum, body) => sum + gzipSync(body).byteLength, 0)
  info.annotations.push({ type: 'first load', description: `${(bytes / 1_000).toFixed(1)} kB of JavaScript` })
  expect(bytes).toBeLessThanOrEqual(LIMIT_BYTES)
  expect(bodies.filter(body => body.includes('/api/batch/jobs'))).not.toEqual([])
  expect(bodies.filter(body => body.includes('/api/batch/upload'))).toEqual([])
  expect(bodies.filter(body => body.includes('/api/admin/'))).toEqual([])
  expect(bodies.filter(body => body.includes('__SENTRY__'))).toEqual([])
})
