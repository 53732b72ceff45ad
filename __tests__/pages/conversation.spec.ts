import type { Locator, Page } from '@playwright/test'
import { expect, test } from './support/parley.ts'

test.beforeEach(({ parley }) => parley.open())

test('shows an answer while it comes, then who gave it, from how many tokens, at what price and how fast', async ({
  parley,
}) => {
  const states = await answerStates(parley.page)
  await parley.ask('What is a gateway?', 'mock/slow')
  await expect(parley.answer).toContainText('You asked: “What is a gateway?”')

  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  expect(await states()).toEqual(['waiting', 'streaming', 'done'])
  await expect(parley.answer).toContainText('That is all.')
  await expect(parley.answer.locator('.facts')).toHaveText(
    /^Modelmock\/slow.*\d+ tokens in, \d+ out.*\d (ms|s)$/,
  )
})

test('calls nothing nothing', async ({ parley }) => {
  for (const model of ['mock/echo', 'mock']) {
    await parley.discuss('Hello', model)
    await expect(parley.answer.locator('.facts')).toContainText('$0')
  }
})

test('says when an answer was cut at its length limit', async ({ parley }) => {
  await parley.discuss('Go on', 'mock/long')
  await expect(parley.answer).toContainText('reached its length limit')
  await expect(parley.status).toHaveText('The answer reached its length limit.')
})

test('stops the answer and keeps what has come', async ({ parley }) => {
  await parley.ask('Tell me', 'mock/stall')
  await expect(parley.answer).toContainText('You asked')
  await parley.stop.click()

  await expect(parley.answer).toHaveAttribute('data-state', 'stopped')
  await expect(parley.answer).toContainText('You asked')
  await expect(parley.answer).not.toContainText('That is all.')
  await expect(parley.status).toHaveText('The answer was stopped.')
})

test('lets the next question be written while an answer comes', async ({ parley }) => {
  await parley.ask('First', 'mock/stall')
  await expect(parley.answer).toHaveAttribute('data-state', 'streaming')
  await parley.composer.fill('Second')
  await parley.composer.press('Enter')
  await expect(parley.composer).toHaveValue('Second')

  await parley.stop.click()
  await expect(parley.send).toBeEnabled()
  await parley.choose('mock/echo')
  await parley.send.click()
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await expect(parley.answer).toContainText('Second')
})

test('sends the whole conversation with every question', async ({ parley }) => {
  await parley.discuss('My name is Ada.', 'mock/echo')
  const [request] = await Promise.all([
    parley.page.waitForRequest('**/api/chat'),
    parley.discuss('What is my name?', 'mock/echo'),
  ])
  expect(request.postDataJSON()).toEqual({
    messages: [
      { role: 'user', content: 'My name is Ada.' },
      { role: 'assistant', content: 'My name is Ada.' },
      { role: 'user', content: 'What is my name?' },
    ],
    model: 'mock/echo',
    stream: true,
  })
})

test('leaves the oldest out once the conversation is too long to send, and says so', async ({ parley }) => {
  const long = 'word '.repeat(3_000)
  for (const question of ['one', 'two', 'three']) await parley.discuss(`${question} ${long}`, 'mock/echo')

  await expect(parley.page.getByText('Older messages no longer fit and aren’t sent')).toBeVisible()
  await expect(parley.answer).toContainText('three')
})

test('refuses to send a question longer than the gateway takes, and says by how much', async ({ parley }) => {
  // Of words: to lay out a single one of such a length takes Chromium eight seconds.
  await parley.composer.fill(`${'words '.repeat(8_334)}end`)
  await expect(parley.page.getByText('7 characters too long')).toBeVisible()
  await expect(parley.send).toBeDisabled()
})

test('asks again for a fresh answer, with the model chosen now', async ({ parley }) => {
  await parley.discuss('Hello', 'mock/echo')
  await parley.choose('mock')
  const [request] = await Promise.all([
    parley.page.waitForRequest('**/api/chat'),
    parley.page.getByRole('button', { name: 'Ask again' }).click(),
  ])
  expect(request.postDataJSON()).toMatchObject({ model: 'mock', cache: 'refresh' })
  await expect(parley.answer).toContainText('That is all.')
  await expect(parley.page.getByRole('listitem').filter({ hasText: 'You asked' })).toHaveCount(1)
})

test('starts over with a new chat, also while an answer comes', async ({ parley }) => {
  await parley.ask('Hello', 'mock/stall')
  await expect(parley.answer).toHaveAttribute('data-state', 'streaming')
  await parley.page.getByRole('button', { name: 'New chat' }).click()

  await expect(
    parley.page.getByRole('heading', { name: 'What would you like to talk through?' }),
  ).toBeVisible()
  await expect(parley.page.locator('[data-state]')).toHaveCount(0)
  await parley.discuss('Hello again', 'mock/echo')
})

test('puts an example into the composer without sending it', async ({ parley }) => {
  await parley.page.getByRole('button', { name: /Compare SQLite and Postgres/ }).click()
  await expect(parley.composer).toHaveValue(/Compare SQLite/)
  await expect(parley.composer).toBeFocused()
  await expect(parley.page.locator('[data-state]')).toHaveCount(0)
})

test('remembers the chosen model', async ({ parley }) => {
  await parley.choose('mock/echo')
  await parley.open()
  await expect(parley.page.getByRole('combobox', { name: 'Model' })).toHaveValue('mock/echo')
})

test('announces start and end in one status, and never reads out the answer', async ({ parley }) => {
  const announced = await announcements(parley.status)
  await parley.ask('Hello', 'mock/slow')
  await expect(parley.status).toHaveText('The answer is complete.')
  expect(await announced()).toEqual(['Question sent.', 'The answer has begun.', 'The answer is complete.'])
  const live = '@aria-live or @role="log" or @role="alert" or @role="status"'
  await expect(parley.answer.locator(`xpath=ancestor-or-self::*[${live}]`)).toHaveCount(0)
  await expect(parley.page.getByRole('main').locator(`xpath=descendant::*[${live}]`)).toHaveCount(0)
})

/** Every text the status shows from now on: each is there only until the next, so a poll may miss it. */
async function announcements(status: Locator): Promise<() => Promise<string[]>> {
  const texts = await status.evaluateHandle(element => {
    const seen: string[] = []
    new MutationObserver(() => seen.push(element.textContent ?? '')).observe(element, {
      childList: true,
      characterData: true,
      subtree: true,
    })
    return seen
  })
  return () => texts.jsonValue()
}

/** Every state that an answer has from now on, one after the other. */
async function answerStates(page: Page): Promise<() => Promise<string[]>> {
  const states = await page.evaluateHandle(() => {
    const seen: string[] = []
    new MutationObserver(() => {
      const state = document.querySelector('[data-state]')?.getAttribute('data-state')
      if (state && state !== seen.at(-1)) seen.push(state)
    }).observe(document.body, { attributes: true, childList: true, subtree: true })
    return seen
  })
  return () => states.jsonValue()
}
