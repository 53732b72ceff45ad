import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { post } from '../support/chat.ts'
import { expectFreeLoopDuring } from '../support/free-loop.ts'
import { GatewayProcess, type HostName } from '../support/gateway.ts'

const ITEMS = 50_000
const WARM_ITEMS = 2_000
/** Asked for rarely: to poll such a job costs the gateway more than to run its items. */
const ENDED = { withinMs: 500_000, pollMs: 500 }
const TIMEOUT_MS = 600_000
const ENV = { MOCK_LATENCY_MS: '0', MOCK_CHUNK_MS: '0', ENABLE_RATE_LIMITING: 'false' }
/** More items in less time, and so more work a moment, than the three at once of the default. */
const MANY_AT_ONCE = { BATCH_CONCURRENCY: '20' }
/** Nothing listens there. */
const NOWHERE = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'parley-instant-'))

/** A job of one item over and over. */
const jobOf = (count: number, item: object) => Array.from({ length: count }, () => item)

const POLLED = { timeout: 60_000, interval: 100 }

const failedAttempts = async (gateway: GatewayProcess): Promise<number> => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text()
  return Number(/^parley_attempts_total\{[^}]*code="NETWORK"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0)
}

const taken = async (gateway: GatewayProcess, count: number, item: object): Promise<string> =>
  (await new BatchClient(gateway.url).submit(jobOf(count, item))).id

const ended = (gateway: GatewayProcess, id: string) => new BatchClient(gateway.url).ended(id, ENDED)

/** A fifth in the usual run, for what differs little from the main case and takes as long: all with SOAK=1. */
const FIFTH = process.env.SOAK ? ITEMS : ITEMS / 5

const OF_MOCK = { prompt: 'a', model: 'mock/echo', cache: 'no-store' }
const CACHED = { prompt: 'a', model: 'mock/echo' }

/** Both servers run the items by the same code: under Next once, for what it adds itself. */
const ANSWERED: readonly (readonly [count: number, host: HostName, from: string, item: object])[] = [
  [ITEMS, 'native', 'asked of the mock provider', OF_MOCK],
  [FIFTH, 'native', 'answered from the cache', CACHED],
  [FIFTH, 'next', 'asked of the mock provider', OF_MOCK],
]

describe.each(ANSWERED)('%i items that end without I/O, under the %s server', (items, host, from, item) => {
  it(`${from}: the event loop is never held up for more than 50 ms, and health answers within 100 ms`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const gateway = await GatewayProcess.start(host, { ...ENV, ...MANY_AT_ONCE })
    try {
      await ended(gateway, await taken(gateway, WARM_ITEMS, item))
      await expectFreeLoopDuring(gateway, async () => {
        const job = await ended(gateway, await taken(gateway, items, item))
        expect(job).toMatchObject({ state: 'completed', counts: { succeeded: items } })
      })
    } finally {
      await gateway.stop()
    }
  })
})

describe('items that end without I/O', () => {
  it('refused, since their model is gone: the loop is never held up for more than 50 ms, and health answers within 100 ms', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const DATA_DIR = newDirectory()
    const item = { prompt: 'a', model: 'openai/gpt-4o-mini' }
    const before = await GatewayProcess.start('native', {
      ...ENV,
      ...NOWHERE,
      DATA_DIR,
      BATCH_WORKER: 'false',
    })
    const ids: string[] = []
    try {
      ids.push(await taken(before, WARM_ITEMS, item))
      await expectFreeLoopDuring(before, async () => void ids.push(await taken(before, FIFTH, item)))
    } finally {
      await before.stop()
    }
    const after = await GatewayProcess.start('native', { ...ENV, ...MANY_AT_ONCE, DATA_DIR })
    try {
      await ended(after, ids[0] ?? '')
      await expectFreeLoopDuring(
        after,
        async () => {
          const job = await ended(after, ids[1] ?? '')
          expect(job).toMatchObject({ state: 'failed', counts: { failed: FIFTH } })
        },
        1,
      )
    } finally {
      await after.stop()
    }
  })

  it('put back, since the circuit of their provider is open: the loop is never held up for more than 50 ms, and health answers within 100 ms', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const item = { prompt: 'a', model: 'openai/gpt-4o-mini', fallback: false }
    const gateway = await GatewayProcess.start('native', {
      ...ENV,
      ...NOWHERE,
      BATCH_CONCURRENCY: '100',
      BREAKER_OPEN_MS: '500',
    })
    try {
      /** Until an open circuit has let that many more items through, each among a hundred that were put back. */
      const triedAgain = async (times: number) => {
        const before = await failedAttempts(gateway)
        await expect.poll(() => failedAttempts(gateway), POLLED).toBeGreaterThanOrEqual(before + times)
      }
      for (let asked = 0; asked < 20; asked += 1) await (await post(gateway.url, item)).text()
      await taken(gateway, WARM_ITEMS, item)
      await triedAgain(1)
      await expectFreeLoopDuring(gateway, async () => {
        await taken(gateway, ITEMS, item)
        await triedAgain(3)
      })
    } finally {
      await gateway.stop()
    }
  })

  it('all refused when they are handed in: the loop is never held up for more than 50 ms, and the first 100 are named', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const gateway = await GatewayProcess.start('native', ENV)
    try {
      const client = new BatchClient(gateway.url)
      const refused = async (count: number, item: object) => {
        const answer = await client.post('/jobs', { items: jobOf(count, item) })
        const { error } = (await answer.json()) as { error: { details: unknown[]; message: string } }
        expect([answer.status, error.details.length]).toEqual([400, 100])
        expect(error.message).toContain(`and ${count - 100} more`)
      }
      const wrong = { prompt: '' }
      const unknown = { prompt: 'a', model: 'openai/none' }
      for (const item of [wrong, unknown]) await refused(WARM_ITEMS, item)
      await expectFreeLoopDuring(gateway, async () => {
        for (const item of [wrong, unknown]) await refused(ITEMS, item)
      })
    } finally {
      await gateway.stop()
    }
  })
})
