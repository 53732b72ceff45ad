import { join } from 'node:path'
import { build } from 'rolldown'
import { expect, test } from './support/parley.ts'

const PAGE = join(import.meta.dirname, 'support/use-chat/page.tsx')

const script = async (): Promise<string> => {
  const { output } = await build({
    input: PAGE,
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    write: false,
    logLevel: 'silent',
  })
  return output[0].code
}

test('an application’s page with useChat of the AI SDK streams answers, keeps the conversation, stops, and shows errors', async ({
  page,
}) => {
  const code = await script()
  await page.route('**/use-chat.js', route => route.fulfill({ contentType: 'text/javascript', body: code }))
  await page.route('**/use-chat', route =>
    route.fulfill({
      contentType: 'text/html',
      body: '<!doctype html><title>useChat</title><script type="module" src="/use-chat.js"></script>',
    }),
  )
  await page.goto('/use-chat')
  const status = page.getByRole('status')
  const ask = async (question: string) => {
    await page.getByLabel('Question').fill(question)
    await page.getByRole('button', { name: 'Send' }).click()
  }
  await ask('Hello there')
  const answers = page.locator('[data-role="assistant"]')
  await expect(answers.first()).not.toBeEmpty()
  await expect(status).toHaveText('ready')
  await ask('And again')
  await expect(answers).toHaveCount(2)
  await expect(answers.last()).not.toBeEmpty()
  await expect(status).toHaveText('ready')

  const asked = page.waitForRequest('**/api/chat')
  await ask('A third time')
  expect((await asked).postDataJSON().messages).toHaveLength(5)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(status).toHaveText('ready')

  await page.route('**/api/chat', route => route.continue({ postData: '{"messages":[{"parts":[]}]}' }))
  await ask('Now broken')
  await expect(page.getByRole('alert')).toContainText('INVALID_INPUT')
})
