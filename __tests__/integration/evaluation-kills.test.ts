import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from '../support/chat.ts'
import { DATABASES } from '../support/databases.ts'
import { EvaluationClient, grades } from '../support/evaluation.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'

const ROWS = 200
const MODELS = ['mock', 'mock/echo', 'mock/slow']
const ITEMS = ROWS * MODELS.length
const CONCURRENCY = 12
/** Both orders of the answer and the reference. */
const CALLS_EACH = 2
const JUDGE = 'gpt-4o-mini'

const PLAN = {
  variants: MODELS.map(model => ({ model })),
  graders: [
    { type: 'contains', weight: 2 },
    { type: 'similarity', model: 'mock' },
    { type: 'regex', pattern: 'question \\d*[02468]\\b' },
    { type: 'judge', model: JUDGE, rubric: 'It is as long as the reference.' },
  ],
  threshold: 0.3,
}

const rows = Array.from({ length: ROWS }, (_, index) => ({
  id: `row-${index}`,
  input: `This is question ${index}.`,
  reference: index % 3 === 0 ? `question ${index}.` : `another answer ${index}`,
}))

/** A report without ids, and without the times that it measured. */
const repeatable = ({ id: _, createdAt: __, startedAt: ___, endedAt: ____, ...report }: Json): Json => ({
  ...report,
  variants: report.variants.map(({ latencyMs: _, ...variant }: Json) => variant),
  rows: report.rows.map((row: Json) => ({
    ...row,
    answers: row.answers.map(({ latencyMs: _, ...answer }: Json) => answer),
  })),
})

let postgres: PostgresServer
beforeAll(async () => {
  postgres = await PostgresServer.start()
})
afterAll(() => postgres?.remove())

describe.concurrent.each(DATABASES)('an evaluation of 200 rows on 3 models in %s', kind => {
  it('has the same report as an unbroken one after the gateway was killed midway, and asks nothing twice that was graded', {
    timeout: 240_000,
  }, async () => {
    const upstream = await FakeUpstream.start()
    upstream.forModel(
      JUDGE,
      grades(shown => shown.map(text => (text.length % 10) / 10)),
    )
    const env = {
      DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-evaluation-')),
      ...(kind === 'Postgres' && { DATABASE_URL: await postgres.database() }),
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      DEFAULT_MODEL: 'mock',
      ENABLE_RATE_LIMITING: 'false',
      ENABLE_CACHING: 'false',
      BATCH_CONCURRENCY: String(CONCURRENCY),
      MOCK_CHUNK_MS: '0',
      LOG_LEVEL: 'warn',
    }
    let gateway = await GatewayProcess.start('native', env)
    let client = new EvaluationClient(gateway.url)
    const start = async (): Promise<string> => {
      const dataset = await client.made('evaluations/datasets', { name: 'Questions', rows })
      const run = await client.made('evaluations', { ...PLAN, dataset: dataset.id, name: 'Run' })
      // Runs have rows of their own.
      await client.ask(`evaluations/datasets/${dataset.id}`, { method: 'DELETE' })
      return run.id
    }
    const reportOf = (id: string) => client.json(`evaluations/${id}/report`)
    try {
      const interrupted = await start()
      const { counts } = await client.until(interrupted, run => run.counts.succeeded >= ITEMS / 4)
      expect(counts.succeeded).toBeLessThan(ITEMS)
      await gateway.stop()
      const askedBefore = upstream.callsFor(JUDGE).length
      gateway = await GatewayProcess.start('native', env)
      client = new EvaluationClient(gateway.url)
      const run = await client.ended(interrupted)
      expect(run).toMatchObject({ state: 'completed', counts: { total: ITEMS, succeeded: ITEMS } })

      const asked = upstream.callsFor(JUDGE).length
      expect(askedBefore).toBeGreaterThan(counts.succeeded)
      expect(asked).toBeGreaterThanOrEqual(ITEMS * CALLS_EACH)
      expect(asked).toBeLessThanOrEqual((ITEMS + CONCURRENCY) * CALLS_EACH)
      const unbroken = await start()
      await client.ended(unbroken)
      expect(upstream.callsFor(JUDGE).length - asked).toBe(ITEMS * CALLS_EACH)

      const report = repeatable(await reportOf(interrupted))
      expect({ ...report, dataset: undefined }).toEqual({
        ...repeatable(await reportOf(unbroken)),
        dataset: undefined,
      })
      expect(report.variants).toHaveLength(3)
      expect(report.variants[1]).toMatchObject({ name: 'mock/echo', rows: ROWS, failures: 0 })
      expect(report.rows).toHaveLength(ROWS)
      expect(report.variants.map(({ gradingCostUsd }: Json) => gradingCostUsd > 0)).toEqual([
        true,
        true,
        true,
      ])
      expect(report.passed).not.toBeNull()
    } finally {
      await gateway.stop()
      await upstream.stop()
    }
  })
})
