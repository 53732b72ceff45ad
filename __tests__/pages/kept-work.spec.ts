import type { Page } from '@playwright/test'
import { ask, askHalf, expect, FIRST_HALF, test, untilSaved, WHOLE } from './support/held-answers.ts'

const newChat = (page: Page) => page.getByRole('button', { name: 'New chat' }).click()
const undo = (page: Page) => page.getByRole('button', { name: 'Undo' })
const invitation = (page: Page) => page.getByRole('heading', { name: 'What would you like to talk through?' })

test('continues an answer while the batch page is looked at', async ({ parley, page, held }) => {
  await parley.open()
  await askHalf(parley)
  await page.getByRole('link', { name: 'Batch', exact: true }).click()
  await expect(parley.composer).toHaveCount(0)
  await page.goBack()
  await expect(parley.answer).toHaveAttribute('data-state', 'streaming')
  await expect(parley.answer).toContainText(FIRST_HALF.trim())

  await page.getByRole('link', { name: 'Batch', exact: true }).click()
  await expect(parley.composer).toHaveCount(0)
  held.release()
  await untilSaved(page, '"state":"done"')
  await page.getByRole('link', { name: 'Chat' }).click()
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await expect(parley.answer.locator('p').first()).toHaveText(WHOLE)
  await expect(page.getByText('You stopped this answer')).toHaveCount(0)
  expect(held).toMatchObject({ calls: 1, aborted: 0 })
})

test('continues an answer after the batch page, and after the batch page was reloaded', async ({
  parley,
  page,
  held,
}) => {
  await parley.open()
  await askHalf(parley)
  await page.goto('/batch')
  await page.reload()
  held.release()
  await untilSaved(page, '"state":"done"')
  await parley.open()
  await expect(parley.answer.locator('p').first()).toHaveText(WHOLE)
  expect(held).toMatchObject({ calls: 1, aborted: 0 })
})

test('shows conversation and running answer again after a reload, without a character lost or doubled', async ({
  parley,
  held,
}) => {
  await parley.open()
  await askHalf(parley)
  for (let reload = 0; reload < 2; reload++) {
    await parley.open()
    await expect(parley.answer).toHaveAttribute('data-state', 'streaming')
    await expect(parley.answer.locator('p').first()).toHaveText(FIRST_HALF.trim())
  }
  held.release()
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await expect(parley.answer.locator('p').first()).toHaveText(WHOLE)
  expect(held).toMatchObject({ calls: 1, aborted: 0 })
})

test('asks again after a reload where the answer had not begun', async ({ parley, held }) => {
  await parley.open()
  await ask(parley, 'Wait, then tell me')
  await expect.poll(() => held.calls).toBe(1)
  await parley.open()
  await expect(parley.answer).toHaveAttribute('data-state', 'waiting')
  await expect.poll(() => held.calls).toBe(2)
  held.release()
  await expect(parley.answer.locator('p').first()).toHaveText(WHOLE)
  await expect(parley.page.locator('[data-state]')).toHaveCount(1)
})

test('shows it again in a new tab after the page was killed', async ({
  parley,
  page,
  context,
  held,
  openTab,
}) => {
  await parley.open()
  await askHalf(parley)
  await parley.composer.fill('My next question')
  await untilSaved(page, 'My next question')
  await untilSaved(page, FIRST_HALF)
  const crashed = page.waitForEvent('crash')
  const session = await context.newCDPSession(page)
  void session.send('Page.crash').catch(() => undefined)
  await crashed

  const tab = await openTab()
  await expect(tab.answer).toHaveAttribute('data-state', 'streaming')
  await expect(tab.composer).toHaveValue('My next question')
  held.release()
  await expect(tab.answer.locator('p').first()).toHaveText(WHOLE)
  expect(held).toMatchObject({ calls: 1, aborted: 0 })
})

test('keeps what was shown where the gateway was restarted meanwhile, and offers another try', async ({
  parley,
  held,
  workerGateway,
}) => {
  await parley.open()
  await askHalf(parley)
  await workerGateway.restart()
  await parley.open()
  await expect(parley.answer).toHaveAttribute('data-state', 'failed')
  await expect(parley.answer).toContainText(FIRST_HALF.trim())
  held.release()
  await parley.page.getByRole('button', { name: 'Try again' }).click()
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await expect(parley.answer.locator('p').first()).toHaveText(WHOLE)
})

test('keeps the previous answer where asking again fails', async ({ parley, page, held }) => {
  await parley.open()
  held.release()
  await ask(parley, 'Tell me')
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await page.route('**/api/chat', route => route.fulfill({ status: 502, json: {} }))
  await page.getByRole('button', { name: 'Ask again' }).click()
  await expect(parley.answer).toHaveAttribute('data-state', 'failed')
  await expect(parley.answer).toContainText(WHOLE)
})

test('keeps a draft that was typed right before a reload, and does not ask before leaving', async ({
  parley,
  page,
}) => {
  const asked: string[] = []
  page.on('dialog', dialog => {
    asked.push(dialog.type())
    void dialog.accept()
  })
  await parley.open()
  await parley.composer.pressSequentially('A draft of mine')
  await parley.open()
  await expect(parley.composer).toHaveValue('A draft of mine')
  await page.goto('/batch')
  await page.getByRole('link', { name: 'Chat' }).click()
  await expect(parley.composer).toHaveValue('A draft of mine')
  expect(asked).toEqual([])
})

test('keeps a draft on a page that is left before its last conversation is loaded', async ({
  parley,
  page,
}) => {
  await parley.open()
  await parley.composer.pressSequentially('A draft of mine')
  await untilSaved(page, 'A draft of mine')
  await page.addInitScript(() => {
    if (sessionStorage.getItem('answered')) return
    sessionStorage.setItem('answered', 'from now on')
    const { open } = IDBFactory.prototype
    IDBFactory.prototype.open = function neverAnswered(name) {
      return Object.assign(open.call(this, name), { addEventListener: () => {} })
    }
  })
  await parley.open()
  await parley.composer.pressSequentially('Written early')
  await parley.open()
  await expect(parley.composer).toHaveValue('A draft of mine\n\nWritten early')
  await parley.open()
  await expect(parley.composer).toHaveValue('A draft of mine\n\nWritten early')
})

test('brings a conversation back with Undo after New chat, and its answer continues', async ({
  parley,
  page,
  held,
}) => {
  await parley.open()
  await askHalf(parley)
  await newChat(page)
  await expect(invitation(page)).toBeVisible()
  await expect(parley.status).toHaveText('New chat started. You can undo this.')
  await parley.composer.fill('Written meanwhile')

  await undo(page).click()
  await expect(parley.answer).toHaveAttribute('data-state', 'streaming')
  await expect(parley.status).toHaveText('Previous chat restored.')
  await expect(parley.composer).toBeFocused()
  await expect(parley.composer).toHaveValue('Written meanwhile')
  held.release()
  await expect(parley.answer.locator('p').first()).toHaveText(WHOLE)
  await expect(undo(page)).toHaveCount(0)
  expect(held).toMatchObject({ calls: 1, aborted: 0 })
})

test('offers Undo after a reload, too, and stops the answer once the next question is sent', async ({
  parley,
  page,
  held,
}) => {
  await parley.open()
  await askHalf(parley)
  await newChat(page)
  await parley.open()
  await undo(page).click()
  await expect(parley.answer).toHaveAttribute('data-state', 'streaming')

  await newChat(page)
  await askHalf(parley, 'Something else')
  await expect.poll(() => held.aborted).toBe(1)
  await expect(undo(page)).toHaveCount(0)
  await parley.open()
  await expect(page.getByText('Something else')).toBeVisible()
  await expect(page.getByText('Tell me')).toHaveCount(0)
})

test('gives each tab a conversation of its own, a duplicate of a tab included', async ({
  parley,
  page,
  context,
  held,
  openTab,
}) => {
  held.release()
  await parley.open()
  await ask(parley, 'From the first tab')
  await expect(parley.answer).toHaveAttribute('data-state', 'done')

  const second = await openTab()
  await expect(invitation(second.page)).toBeVisible()
  await ask(second, 'From the second tab')
  await expect(second.answer).toHaveAttribute('data-state', 'done')

  const [opened] = await Promise.all([context.waitForEvent('page'), page.evaluate(() => void open('/'))])
  await expect(opened.getByText('From the first tab')).toBeVisible()
  await opened.getByRole('textbox', { name: 'Your question' }).fill('From the duplicate')
  await opened.keyboard.press('Enter')
  await expect(opened.locator('[data-state=done]')).toHaveCount(2)
  await ask(parley, 'Later, from the first tab')
  await expect(page.locator('[data-state=done]')).toHaveCount(2)

  const questionsOf = async (tab: Page) => {
    await tab.reload()
    await expect(tab.locator('[data-state]').first()).toBeVisible()
    return tab.locator('[aria-label=Conversation] h2:first-child + p').allTextContents()
  }
  expect(await questionsOf(page)).toEqual(['From the first tab', 'Later, from the first tab'])
  expect(await questionsOf(second.page)).toEqual(['From the second tab'])
  expect(await questionsOf(opened)).toEqual(['From the first tab', 'From the duplicate'])
})

test('deletes all chats and drafts of this browser, those of other tabs included', async ({
  parley,
  page,
  held,
  openTab,
}) => {
  await parley.open()
  await askHalf(parley)
  const second = await openTab()
  await second.composer.fill('A draft')
  await untilSaved(page, 'A draft')
  await page.getByRole('button', { name: 'Delete saved chats' }).click()
  await page.getByRole('button', { name: 'Delete', exact: true }).click()

  await expect(invitation(page)).toBeVisible()
  await expect(second.composer).toHaveValue('')
  await expect.poll(() => held.aborted).toBe(1)
  await untilSaved(page, '[[],[]]')
  await parley.open()
  await expect(invitation(page)).toBeVisible()
})

test('leaves out damaged records, and shows the others', async ({ parley, page, held }) => {
  held.release()
  await parley.open()
  for (const question of ['One', 'Two']) {
    await ask(parley, question)
    await expect(parley.answer).toHaveAttribute('data-state', 'done')
  }
  await page.goto('/api/health/live')
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('parley-chat')
        opening.onerror = reject
        opening.onsuccess = () => {
          const transaction = opening.result.transaction(['heads', 'turns'], 'readwrite')
          transaction.objectStore('heads').put({ id: 'x', draft: 7 }, 'x')
          transaction.objectStore('heads').put(null, 'y')
          const turns = transaction.objectStore('turns')
          turns.getAllKeys().onsuccess = ({ target }) => {
            const [first] = (target as IDBRequest<IDBValidKey[]>).result
            turns.put({ id: 1, question: 'One', answer: { state: 'done', text: 5 } }, first)
          }
          transaction.oncomplete = () => {
            opening.result.close()
            resolve()
          }
        }
      }),
  )
  await parley.open()
  await expect(page.getByText('Two', { exact: true })).toBeVisible()
  await expect(page.locator('[data-state]')).toHaveCount(1)
  await ask(parley, 'Three')
  await expect(page.locator('[data-state=done]')).toHaveCount(2)
})

test('chats without a store, says so, and warns before something is lost', async ({ parley, page, held }) => {
  held.release()
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('Refused.', 'SecurityError')
    }
  })
  await parley.open()
  await expect(page.getByText('This browser can’t save chats.')).toBeVisible()
  await ask(parley, 'Tell me')
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  const [dialog] = await Promise.all([
    page.waitForEvent('dialog'),
    page.evaluate(() => void setTimeout(() => location.assign('/batch'))),
  ])
  expect(dialog.type()).toBe('beforeunload')
  await dialog.dismiss()
  await expect(parley.answer).toContainText(WHOLE)
})
