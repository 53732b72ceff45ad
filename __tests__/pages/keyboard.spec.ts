import { expect, test } from './support/parley.ts'

test('holds a whole conversation without a mouse', async ({ parley, page }) => {
  await parley.open()
  await expect(parley.composer).toBeFocused()
  await page.keyboard.type('First line')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('second line')
  await expect(parley.composer).toHaveValue('First line\nsecond line')

  await page.keyboard.press('Enter')
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await expect(parley.composer).toBeFocused()
  await expect(parley.composer).toHaveValue('')

  await page.keyboard.press('Shift+Tab')
  await expect(page.getByRole('button', { name: 'Ask again' })).toBeFocused()
  const waited = Promise.withResolvers<void>()
  await page.route('**/api/chat', async route => {
    await waited.promise
    await route.continue()
  })
  await page.keyboard.press('Enter')
  await expect(parley.answer).toHaveAttribute('data-state', 'waiting')
  waited.resolve()
  await expect(parley.answer).toHaveAttribute('data-state', 'done')

  await parley.composer.focus()
  await page.keyboard.press('Tab')
  await expect(page.getByRole('combobox', { name: 'Model' })).toBeFocused()
})

test('stops with Escape, wherever the focus is', async ({ parley, page }) => {
  await parley.open()
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toHaveAttribute('data-state', 'streaming')
  await page.getByRole('button', { name: 'New chat' }).focus()
  await page.keyboard.press('Escape')
  await expect(parley.answer).toHaveAttribute('data-state', 'stopped')
})

test('keeps the focus on the button that sends and then stops', async ({ parley, page }) => {
  await parley.open()
  await parley.choose('mock/stall')
  await parley.composer.fill('Tell me')
  await parley.send.focus()
  await page.keyboard.press('Enter')
  await expect(parley.stop).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(parley.answer).toHaveAttribute('data-state', 'stopped')
  await expect(page.locator('[data-state]')).toHaveCount(1)
})

test('does not send at the Enter that ends a text composition', async ({ parley }) => {
  await parley.open()
  await parley.composer.fill('かな')
  await parley.composer.evaluate(input =>
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true })),
  )
  await expect(parley.composer).toHaveValue('かな')
  await expect(parley.page.locator('[data-state]')).toHaveCount(0)
})

test('reaches code that scrolls sideways', async ({ parley, page }) => {
  await parley.open()
  await parley.discuss('Hello', 'mock')
  const code = parley.answer.locator('pre')
  await page.getByRole('button', { name: 'Copy code' }).focus()
  await page.keyboard.press('Tab')
  await expect(code).toBeFocused()
})
