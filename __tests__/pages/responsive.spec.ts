import type { Page } from '@playwright/test'
import { expect, test } from './support/parley.ts'

/** What an ordinary long answer holds; about 8 kB. */
const ANSWER = Array.from(
  { length: 7 },
  (_, part) => `## Part ${part + 1}

A paragraph with **bold** words, \`code\`, a [link](https://example.com/${part}) and *more* of the like, which goes on for a while so that it fills several lines of the page before it ends.

${Array.from({ length: 10 }, (_, item) => `${item + 1}. **Item ${item + 1}** of the list, with \`code\` and some words about it.`).join('\n')}

| name | meaning |
|---|---|
| \`first\` | the **first** of them |
| \`second\` | the second of them |

\`\`\`ts
export function part${part}(values: number[]): number {

  return values.reduce((sum, value) => sum + value, 0)
}
\`\`\`

A closing paragraph, with nothing in it but words: they come one after the other until the paragraph has had enough of them.
`,
).join('\n')

test(`an 8 kB answer at a quarter of the processor's speed: no event waits more than 50 ms @any-look`, async ({
  parley,
  page,
}) => {
  expect(ANSWER.length).toBeGreaterThan(8_000)
  await parley.open()
  await parley.discuss('Warm up.\n\n1. a\n2. b', 'mock/echo')
  const waits = await watchEvents(page)
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 })
  await parley.ask(ANSWER, 'mock/echo')
  while ((await parley.answer.getAttribute('data-state')) !== 'done') await page.keyboard.press('x')
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  const { events, longest } = await waits()
  expect(events, 'keys were pressed meanwhile').toBeGreaterThan(10)
  expect(longest).toBeLessThanOrEqual(50)
})

async function watchEvents(page: Page) {
  const seen = await page.evaluateHandle(() => {
    const record = { events: 0, longest: 0 }
    new PerformanceObserver(list => {
      for (const entry of list.getEntries() as PerformanceEventTiming[]) {
        record.events += 1
        record.longest = Math.max(record.longest, entry.processingStart - entry.startTime)
      }
    }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
    return record
  })
  return () => seen.jsonValue()
}
