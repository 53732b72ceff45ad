import type { Locator, Page } from '@playwright/test'
import { type Behaviour, echoes, refuses } from '../../support/upstream-behaviour.ts'
import { test as base, expect } from './parley.ts'
import { MODEL } from './worker-gateway.ts'

const BUSY_MODEL = 'gpt-4o'

/**
 * A provider that repeats what it is asked. Questions that begin with “Fail” are refused until it is mended, those
 * that begin with “Stay” are answered once it is released, and for those that begin with “Busy” it asks for a minute.
 */
class Provider {
  readonly #released = Promise.withResolvers<void>()
  #mended = false

  release(): void {
    this.#released.resolve()
  }

  mend(): void {
    this.#mended = true
  }

  readonly answers: Behaviour = async (response, asked, signal) => {
    const question = asked.messages.at(-1)?.content ?? ''
    if (question.startsWith('Stay')) await this.#released.promise
    if (question.startsWith('Busy'))
      return refuses(429, { headers: { 'retry-after': '60' } })(response, asked, signal)
    const behaviour = question.startsWith('Fail') && !this.#mended ? refuses(400) : echoes
    await behaviour(response, asked, signal)
  }
}

export type Batches = {
  page: Page
  provider: Provider
  status: Locator
  /** Opens the batch page and waits until it knows the visitor's batches. */
  open: () => Promise<void>
  /** Hands in a batch of these questions, past the page, as the same visitor. */
  submit: (name: string, prompts: readonly string[]) => Promise<string>
  /** The batch of that name, as the page shows it. */
  job: (name: string) => Locator
}

/** A visitor of the batch page, with a provider of their own. */
export const test = base.extend<{ provider: Provider; batches: Batches }>({
  provider: async ({ upstream }, use) => {
    const provider = new Provider()
    upstream.usually(provider.answers)
    await use(provider)
    provider.release()
  },
  baseURL: ({ workerGateway }, use) => use(workerGateway.url),
  batches: async ({ parley: { page }, provider }, use) => use(visitorOf(page, provider)),
})

export { expect }

/** A busy provider's model is not called for a minute: that must not keep the next test's items waiting. */
const modelFor = (prompt: string): string => (prompt.startsWith('Busy') ? BUSY_MODEL : MODEL)

function visitorOf(page: Page, provider: Provider): Batches {
  return {
    page,
    provider,
    status: page.getByRole('status'),
    open: async () => {
      await page.goto('/batch')
      await expect(page.getByText('Loading batches…')).toHaveCount(0)
    },
    submit: async (name, prompts) => {
      const items = prompts.map(prompt => ({ prompt, model: modelFor(prompt), cache: 'no-store' }))
      const reply = await page.request.post('/api/batch/jobs', { data: { name, items } })
      expect(reply.status(), await reply.text()).toBe(202)
      return (await reply.json()).id
    },
    job: name => page.getByRole('article', { name }),
  }
}
