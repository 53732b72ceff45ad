import type { Page } from '@playwright/test'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { GatewayProcess } from '../../support/gateway.ts'
import { type Behaviour, chunk, sse, streamEnd } from '../../support/upstream-behaviour.ts'
import { test as base, expect, type Parley, visitorOf } from './parley.ts'

export const FIRST_HALF = 'The first half, '
export const WHOLE = `${FIRST_HALF}and the second.`

/** A provider whose answers stay half complete until they are released. */
class HeldAnswers {
  readonly #released = Promise.withResolvers<void>()
  calls = 0
  aborted = 0

  release(): void {
    this.#released.resolve()
  }

  /** Questions that begin with “Wait” have no first half either. */
  readonly answer: Behaviour = async (response, asked, signal) => {
    this.calls += 1
    signal.addEventListener('abort', () => {
      if (!response.writableEnded) this.aborted += 1
    })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (asked.messages.at(-1)?.content.startsWith('Wait')) await this.#released.promise
    response.write(sse(chunk({ content: FIRST_HALF })))
    await this.#released.promise
    if (!signal.aborted) response.end(sse(chunk({ content: WHOLE.slice(FIRST_HALF.length) })) + streamEnd())
  }
}

type Fixtures = {
  upstream: FakeUpstream
  held: HeldAnswers
  gateway: { url: string; restart: () => Promise<void> }
  /** A further tab of the same browser. */
  openTab: (path?: string) => Promise<Parley>
}

/** A user of the chat page, with a gateway of their own whose provider gives half an answer until it is released. */
export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see that nothing is asked for
  held: async ({}, use) => {
    const held = new HeldAnswers()
    await use(held)
    held.release()
  },
  upstream: async ({ held }, use) => {
    const upstream = (await FakeUpstream.start()).usually(held.answer)
    await use(upstream)
    await upstream.stop()
  },
  gateway: async ({ upstream }, use) => {
    const env = {
      ENABLE_CONSOLE: 'true',
      OPENAI_API_KEY: 'sk-fake',
      OPENAI_BASE_URL: upstream.baseUrl,
      DEFAULT_MODEL: 'gpt-4o-mini',
      RATE_LIMIT_API: '10000/1m',
      LOG_LEVEL: 'error',
    }
    let running = await GatewayProcess.start('native', env)
    const { url } = running
    const restart = async () => {
      await running.stop()
      running = await GatewayProcess.start('native', env, { port: Number(new URL(url).port) })
    }
    await use({ url: url.replace('127.0.0.1', 'localhost'), restart })
    await running.stop()
  },
  baseURL: ({ gateway }, use) => use(gateway.url),
  openTab: async ({ context }, use) => {
    await use(async (path = '/') => {
      const tab = visitorOf(await context.newPage())
      await tab.open(path)
      return tab
    })
  },
})

export { expect }

/** Asks without choosing a model. */
export async function ask({ composer }: Parley, question: string): Promise<void> {
  await composer.fill(question)
  await composer.press('Enter')
}

/** Asks, and waits for the first half of the answer. */
export async function askHalf(parley: Parley, question = 'Tell me'): Promise<void> {
  await ask(parley, question)
  await expect(parley.answer).toContainText(FIRST_HALF.trim())
}

/** Waits until the question is in the browser's store with what was shown of its answer. */
export async function untilSaved(page: Page, text: string): Promise<void> {
  await expect
    .poll(() =>
      page.evaluate(
        () =>
          new Promise<string>((resolve, reject) => {
            const opening = indexedDB.open('parley-chat')
            opening.onerror = reject
            opening.onsuccess = () => {
              const all = opening.result.transaction(['heads', 'turns'])
              const reads = ['heads', 'turns'].map(name => all.objectStore(name).getAll())
              all.oncomplete = () => {
                resolve(JSON.stringify(reads.map(({ result }) => result)))
                opening.result.close()
              }
            }
          }),
      ),
    )
    .toContain(text)
}
