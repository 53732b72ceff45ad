import type { Locator, Page } from '@playwright/test'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { GatewayProcess } from '../../support/gateway.ts'
import { type Behaviour, echoes, refuses } from '../../support/upstream-behaviour.ts'
import { test as base, expect } from './parley.ts'

/** Its price is in the catalog. */
export const MODEL = 'gpt-4o-mini'

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

/** A visitor of the batch page, with a gateway and a provider of their own. */
export const test = base.extend<{
  upstream: FakeUpstream
  provider: Provider
  ownUrl: string
  batches: Batches
}>({
  upstream: async ({ provider }, use) => {
    const upstream = (await FakeUpstream.start()).usually(provider.answers)
    await use(upstream)
    await upstream.stop()
  },
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see that nothing is asked for
  provider: async ({}, use) => use(new Provider()),
  ownUrl: async ({ upstream }, use) => {
    const gateway = await GatewayProcess.start('native', {
      ENABLE_CONSOLE: 'true',
      OPENAI_API_KEY: 'sk-fake',
      OPENAI_BASE_URL: upstream.baseUrl,
      DEFAULT_MODEL: MODEL,
      BATCH_CONCURRENCY: '10',
      RATE_LIMIT_API: '10000/1m',
      LOG_LEVEL: 'error',
    })
    await use(gateway.url.replace('127.0.0.1', 'localhost'))
    await gateway.stop()
  },
  baseURL: ({ ownUrl }, use) => use(ownUrl),
  batches: async ({ parley: { page }, provider }, use) => {
    await use(visitorOf(page, provider))
    provider.release()
  },
})

export { expect }

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
      const items = prompts.map(prompt => ({ prompt, cache: 'no-store' }))
      const reply = await page.request.post('/api/batch/jobs', { data: { name, items } })
      expect(reply.status(), await reply.text()).toBe(202)
      return (await reply.json()).id
    },
    job: name => page.getByRole('article', { name }),
  }
}
