import type { Page } from '@playwright/test'
import { type Behaviour, chunk, echoes, sse, streamEnd } from '../../support/upstream-behaviour.ts'
import { test as base, expect, type Parley, visitorOf } from './parley.ts'

export const FIRST_HALF = 'The first half, '
export const WHOLE = `${FIRST_HALF}and the second.`

/** The questions of the present test. */
const askedNow = new Set<string>()

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
    const question = asked.messages.at(-1)?.content ?? ''
    // An earlier test of this worker may have left an item of a batch, or a chat that is tried again.
    const isOwn = askedNow.has(question)
    if (!asked.stream) return echoes(response, asked, signal)
    if (isOwn) this.calls += 1
    signal.addEventListener('abort', () => {
      if (isOwn && !response.writableEnded) this.aborted += 1
    })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (question.startsWith('Wait')) await this.#released.promise
    response.write(sse(chunk({ content: FIRST_HALF })))
    await this.#released.promise
    if (!signal.aborted) response.end(sse(chunk({ content: WHOLE.slice(FIRST_HALF.length) })) + streamEnd())
  }
}

type Fixtures = {
  held: HeldAnswers
  /** A further tab of the same browser. */
  openTab: (path?: string) => Promise<Parley>
}

/** A user of the chat page, whose provider gives half an answer until it is released. */
export const test = base.extend<Fixtures>({
  held: async ({ upstream }, use) => {
    askedNow.clear()
    const held = new HeldAnswers()
    upstream.usually(held.answer)
    await use(held)
    held.release()
  },
  baseURL: ({ workerGateway }, use) => use(workerGateway.url),
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
  askedNow.add(question)
  await composer.fill(question)
  await composer.press('Enter')
}

/** Asks, and waits for the first half of the answer, until the page that shows it could be left. */
export async function askHalf(parley: Parley, question = 'Tell me'): Promise<void> {
  await ask(parley, question)
  await expect(parley.answer).toContainText(FIRST_HALF.trim())
  await untilSaved(parley.page, FIRST_HALF)
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
