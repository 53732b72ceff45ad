import { keepLooks } from './support/looks.ts'
import { expect, test } from './support/parley.ts'

test('prints the conversation alone, with all of its code', async ({ parley, page }) => {
  await parley.open()
  await parley.discuss(`Code:\n\n\`\`\`\n${'long '.repeat(60)}\n\`\`\``, 'mock/echo')
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  await expect(parley.answer.locator('pre')).toHaveCSS('white-space', 'pre-wrap')
  await expect(page.getByRole('banner')).toBeHidden()
  await expect(parley.composer).toBeHidden()
  await expect(page.locator('button:visible')).toHaveCount(0)
  const [overflow] = await parley.answer
    .locator('pre')
    .evaluateAll(all => all.map(pre => pre.scrollWidth - pre.clientWidth))
  expect(overflow).toBe(0)
  await keepLooks(page, 'print')
})

for (const path of ['/', '/batch', '/evaluations', '/docs', '/admin']) {
  test(`the first Tab of ${path} skips to its content`, async ({ parley, page }) => {
    await page.goto(path)
    await page.locator('body').evaluate(body => body.focus())
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
    const link = page.getByRole('link', { name: 'Skip to content' })
    await link.focus()
    await expect(link).toBeInViewport()
    await page.keyboard.press('Enter')
    await expect(page.getByRole('main')).toBeFocused()
    expect(parley.page.url()).toContain('#main')
  })
}

test('every button and field has a border, and the composer a visible focus, in forced colours', async ({
  parley,
  page,
}) => {
  await page.emulateMedia({ forcedColors: 'active' })
  await parley.open()
  for (const button of await page.getByRole('button').all())
    await expect(button).not.toHaveCSS('border-top-width', '0px')
  await parley.composer.focus()
  await expect(page.locator('.composer')).toHaveCSS('outline-style', 'solid')
})

test('says without JavaScript that it needs it', async ({ browser, baseURL }) => {
  const page = await browser.newPage({ javaScriptEnabled: false })
  await page.goto(`${baseURL}/`)
  await expect(page.locator('noscript p')).toHaveText(/^Parley needs JavaScript\./)
  await expect(page.locator('noscript p')).toBeVisible()
  await page.close()
})

test('has icons, a manifest, and nothing for search engines', async ({ page, request, parley }) => {
  await parley.open()
  for (const [path, type] of [
    ['/favicon.ico', /^image\//],
    ['/icon.svg', /^image\/svg/],
    ['/apple-icon.png', /^image\/png/],
    ['/manifest.webmanifest', /manifest\+json/],
    ['/robots.txt', /^text\/plain/],
  ] as const) {
    const response = await request.get(path)
    expect(response.status(), path).toBe(200)
    expect(response.headers()['content-type'], path).toMatch(type)
  }
  expect(await (await request.get('/robots.txt')).text()).toContain('Disallow: /')
  await expect(page.locator('meta[name=robots]')).toHaveAttribute('content', 'noindex, nofollow')
  await expect(page.locator('link[rel=manifest]')).toHaveCount(1)
})

test('colours the browser by the device, or by the chosen theme', async ({ parley, page }) => {
  await parley.open()
  const colours = page.locator('meta[name=theme-color]')
  await expect(colours).toHaveCount(2)
  await page.getByRole('button', { name: /^Theme: system/ }).click()
  await page.getByRole('button', { name: /^Theme: light/ }).click()
  await expect(colours.first()).toHaveAttribute('content', '#171512')
  await page.reload()
  await expect(colours.first()).toHaveAttribute('content', '#171512')
})

test('a dangerous button has a contrast of at least 4.5 in light and dark', async ({ parley, page }) => {
  await parley.open()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const ratio = await page.evaluate(() => {
      const button = document.body.appendChild(document.createElement('button'))
      button.className = 'danger-button'
      const { color, backgroundColor } = getComputedStyle(button)
      const context = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D
      const luminance = (css: string) => {
        context.fillStyle = css
        context.fillRect(0, 0, 1, 1)
        const [red = 0, green = 0, blue = 0] = [...context.getImageData(0, 0, 1, 1).data].map(value => {
          const part = value / 255
          return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
        })
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
      }
      const [dark = 0, light = 0] = [luminance(color), luminance(backgroundColor)].toSorted((a, b) => a - b)
      button.remove()
      return (light + 0.05) / (dark + 0.05)
    })
    expect(ratio, colorScheme).toBeGreaterThanOrEqual(4.5)
  }
})
