import { expect, test } from './support/parley.ts'

test.beforeEach(({ parley }) => parley.open())

test('shows headings, lists, tables and code', async ({ parley }) => {
  await parley.discuss('Hello', 'mock')
  await expect(parley.answer.getByRole('table')).toContainText('takes its time')
  await expect(parley.answer.locator('ol > li')).toHaveCount(3)
  await expect(parley.answer.locator('pre')).toContainText("fetch('/api/chat'")
})

test('shows HTML as the text it is and never runs it', async ({ parley, page }) => {
  const html =
    '<script>window.hit=1</script> <b onclick="hit=1">b</b>\n\n<iframe src="/"></iframe>\n\n<style>*{display:none}</style>'
  await parley.discuss(html, 'mock/echo')
  await expect(parley.answer).toContainText('<b onclick="hit=1">')
  await expect(parley.answer).toContainText('<iframe src="/"></iframe>')
  await expect(parley.answer.locator('.prose').locator('script, b, iframe, style')).toHaveCount(0)
  expect(await page.evaluate(() => 'hit' in window)).toBe(false)
})

test('loads no image from elsewhere, and offers its address instead', async ({ parley, page }) => {
  const asked: string[] = []
  page.on('request', request => asked.push(new URL(request.url()).host))
  await parley.discuss('![a chart](https://elsewhere.example/x.png?secret=1)', 'mock/echo')

  await expect(parley.answer.getByRole('link', { name: 'Image: a chart' })).toBeVisible()
  await expect(parley.answer.locator('.prose img')).toHaveCount(0)
  expect(asked).not.toContain('elsewhere.example')
})

test('makes links of web addresses alone, and opens them apart', async ({ parley }) => {
  const links = '[good](https://example.com) [bad](javascript:alert(1)) [worse](data:text/html,x)'
  await parley.discuss(links, 'mock/echo')
  const good = parley.answer.getByRole('link', { name: 'good' })
  await expect(good).toHaveAttribute('target', '_blank')
  await expect(good).toHaveAttribute('rel', /noopener noreferrer/)
  await expect(parley.answer.locator('.prose a[href^="javascript"], .prose a[href^="data"]')).toHaveCount(0)
})

test('copies a code block as it was written', async ({ parley, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await parley.discuss('```js\nconst a = 1\n\tif (a < 2) b()\n```', 'mock/echo')
  await parley.page.getByRole('button', { name: 'Copy code' }).click()
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('const a = 1\n\tif (a < 2) b()\n')
})

test('keeps the footnotes of two answers apart', async ({ parley, page }) => {
  await parley.discuss('A note[^1].\n\n[^1]: First.', 'mock/echo')
  await parley.discuss('A note[^1].\n\n[^1]: Second.', 'mock/echo')
  const target = await parley.answer.locator('sup a').getAttribute('href')
  await expect(page.locator(`[id="${target?.slice(1)}"]`)).toHaveText(/Second/)
})
