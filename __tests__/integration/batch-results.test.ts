import { mkdtempSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { batchRecords } from '#lib/batch/records/records.ts'
import type { BatchRecords } from '#lib/batch/types.ts'
import { systemClock } from '#lib/clock.ts'
import { openRecords } from '#lib/storage/records/open.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

const ITEMS = 60
const CONTENT = 'x'.repeat(300_000)
const ID = `batch_${'0'.repeat(31)}1`
const OWNER = 'address 127.0.0.1'

const writeJob = async (records: BatchRecords): Promise<void> => {
  await records.submit(
    { id: ID, owner: OWNER, name: 'A job', priority: 'normal', createdAt: Date.now() },
    Array.from({ length: ITEMS }, (_, index) => ({
      id: `${index}`,
      request: { prompt: 'Write', maxTokens: 1, cache: 'default', fallback: true } as const,
    })),
  )
  for (const claim of await records.claim({ count: ITEMS, now: Date.now(), leaseMs: 60_000 })) {
    const target = { provider: 'mock', model: 'echo', name: 'mock/echo' }
    const usage = { inputTokens: 1, outputTokens: 1 }
    const answer = {
      content: CONTENT,
      finishReason: 'stop',
      truncated: false,
      target,
      usage,
      cache: 'miss',
    } as const
    await records.settle(claim, { state: 'succeeded', answer }, Date.now())
  }
}

describe.each(HOSTS)('the results of a job under the %s host', host => {
  let database: Records
  let records: BatchRecords
  let gateway: GatewayProcess

  beforeAll(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'parley-results-'))
    database = await openRecords({ dataDir }, systemClock)
    records = batchRecords(database)
    await writeJob(records)
    gateway = await GatewayProcess.start(host, { DATA_DIR: dataDir, BATCH_WORKER: 'false' })
  })
  afterAll(async () => {
    await gateway?.stop()
    await database?.close()
  })

  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) =>
      request(`${gateway.url}/api/batch/jobs/${ID}/results`, { agent: false }, resolve)
        .on('error', reject)
        .end(),
    )

  it('come whole', async () => {
    let text = ''
    for await (const chunk of (await ask()).setEncoding('utf8')) text += chunk
    const lines = text.trimEnd().split('\n')
    expect(lines).toHaveLength(ITEMS)
    for (const line of lines) expect(JSON.parse(line).content).toBe(CONTENT)
  })

  it('end in an error, and do not look complete, where the job goes while they are read', async () => {
    const answer = await ask()
    expect(answer.statusCode).toBe(200)
    await records.remove(OWNER, ID)
    await records.sweep(0)
    const reading = (async () => {
      for await (const _ of answer);
    })()
    await expect(reading).rejects.toThrow('aborted')
    expect(answer.complete).toBe(false)
  })
})
