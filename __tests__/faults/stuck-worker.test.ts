import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { says } from '../support/upstream-behaviour.ts'
import { WorkerProcess } from '../support/worker.ts'

const MODEL = 'gpt-4o-mini'
const USD_EACH = 0.00000405
const ITEMS = Array.from({ length: 3 }, (_, at) => ({ prompt: `${at}`, model: MODEL }))

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await FakeUpstream.start()
})
afterAll(() => upstream?.stop())

describe('a worker that is suspended', () => {
  it('F27: for longer than its lease: another runs its items, and its late results change nothing', async () => {
    const env = {
      DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-faults-')),
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      ENABLE_CACHING: 'false',
    }
    // The first three calls are answered once their worker is suspended, which finds the replies when it goes on.
    const suspended = Promise.withResolvers<void>()
    upstream.usually(async (...call) => {
      await suspended.promise
      await says(['Done.'])(...call)
    })
    const gateway = await GatewayProcess.start('native', { ...env, BATCH_WORKER: 'false' })
    const stuck = new WorkerProcess(env)
    const other = new WorkerProcess(env)
    try {
      await stuck.start()
      const client = new BatchClient(gateway.url)
      const { id } = await client.submit(ITEMS)
      await client.until(id, ({ counts }) => counts.running === 3)
      await expect.poll(() => upstream.calls.length, { timeout: 10_000 }).toBe(3)
      stuck.signal('SIGSTOP')
      suspended.resolve()
      await other.start()
      // Real time: the lease of another process.
      const ended = await client.ended(id)
      expect(ended).toMatchObject({ state: 'completed', counts: { succeeded: 3 } })
      expect(ended.costUsd).toBeCloseTo(3 * USD_EACH, 12)
      await other.end('SIGTERM')
      stuck.signal('SIGCONT')
      // It goes on: it runs what comes next, after what it had to write about the first items.
      const next = await client.submit(ITEMS)
      await client.ended(next.id)
      expect(await client.job(id)).toEqual(ended)
      expect(upstream.calls).toHaveLength(3 + 3 + 3)
    } finally {
      await stuck.end('SIGKILL')
      await other.end('SIGKILL')
      await gateway.stop()
    }
  })
})
