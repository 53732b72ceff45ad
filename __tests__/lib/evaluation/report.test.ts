import { describe, expect, it } from 'vitest'
import { reportOf } from '#lib/evaluation/report/report.ts'
import { messagesFor } from '#lib/evaluation/runs/prompt.ts'
import type { Run, RunItem, Variant } from '#lib/evaluation/runs/types.ts'

const variantOf = (name: string): Variant => ({
  name,
  model: 'mock',
  parameters: { maxTokens: 10 },
  cache: 'no-store',
})

const runOf = (threshold?: number): Run => ({
  id: 'eval_1',
  owner: 'guest ada',
  name: 'Run',
  dataset: { id: 'dataset_1', name: 'Rows', rows: 3 },
  jobId: 'batch_1',
  plan: {
    variants: [variantOf('a'), variantOf('b')],
    graders: [{ type: 'exact', name: 'exact', weight: 1, ignoreCase: false, trim: true }],
    ...(threshold !== undefined && { threshold }),
  },
  createdAt: 0,
  state: 'completed',
  counts: { total: 6, queued: 0, running: 0, succeeded: 5, failed: 1, cancelled: 0 },
  costUsd: 0,
  unpriced: 0,
})

const answer = {
  text: '',
  finishReason: 'stop',
  truncated: false,
  provider: 'mock',
  model: 'mock',
  providerModel: 'mock',
  inputTokens: 1,
  outputTokens: 1,
  cache: 'miss',
  latencyMs: 10,
} as const

const itemOf = (row: number, variant: number, score: number | 'failed', costPicoUsd?: number): RunItem =>
  score === 'failed'
    ? { row, variant, rowId: `${row}`, state: 'failed', error: { code: 'NETWORK', message: 'Down.' } }
    : {
        row,
        variant,
        rowId: `${row}`,
        state: 'succeeded',
        answer: { ...answer, ...(costPicoUsd !== undefined && { costPicoUsd }) },
        grading: {
          score,
          passed: score === 1,
          grades: [{ name: 'exact', type: 'exact', score, passed: score === 1, reason: '' }],
        },
      }

async function* listed(items: readonly RunItem[]): AsyncGenerator<RunItem> {
  yield* items
}

describe('a report', () => {
  const items = [
    itemOf(0, 0, 1, 5),
    itemOf(0, 1, 0, 7),
    itemOf(1, 0, 1, 5),
    itemOf(1, 1, 1),
    itemOf(2, 0, 'failed'),
    itemOf(2, 1, 0.5, 7),
  ]

  it('counts wins, ties and losses by row, and an answer that failed as 0', async () => {
    const { variants } = await reportOf(runOf(), listed(items))
    expect(variants.map(({ wins, ties, losses }) => [wins, ties, losses])).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ])
    expect(variants.map(({ score }) => score?.value)).toEqual([2 / 3, 0.5])
    expect(variants.map(({ failures }) => failures)).toEqual([1, 0])
  })

  it('sums the known costs, and counts the unknown ones', async () => {
    const { variants } = await reportOf(runOf(), listed(items))
    expect(variants.map(({ costPicoUsd, unpriced }) => [costPicoUsd, unpriced])).toEqual([
      [10, 0],
      [14, 1],
    ])
  })

  it.each([
    [0.5, true],
    [0.51, false],
  ])('passes at the threshold %d: %s', async (threshold, passed) => {
    expect((await reportOf(runOf(threshold), listed(items))).passed).toBe(passed)
  })

  it('compares rows only once all variants have ended them', async () => {
    const { variants } = await reportOf(runOf(), listed(items.slice(0, 3)))
    expect(variants.map(({ wins, ties, losses }) => wins + ties + losses)).toEqual([1, 1])
  })
})

describe('the messages of a variant', () => {
  const row = { id: '1', input: 'Hello $& {{metadata.tone}}', metadata: { tone: 'kind', deep: { a: 1 } } }

  it('are the system message and the prompt, filled once and literally', () => {
    const prompt =
      'Say {{input}} in a {{ metadata.tone }} way {{metadata.deep}}{{metadata.toString}}{{other}}'
    expect(messagesFor({ ...variantOf('a'), system: 'Be brief.', prompt }, row)).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Say Hello $& {{metadata.tone}} in a kind way {"a":1}{{other}}' },
    ])
  })

  it('are those of the row, of which a prompt replaces the last one', () => {
    const input = [
      { role: 'assistant', content: 'Hi' },
      { role: 'user', content: 'Bye' },
    ] as const
    expect(messagesFor({ ...variantOf('a'), prompt: '<{{input}}>' }, { id: '1', input })).toEqual([
      { role: 'assistant', content: 'Hi' },
      { role: 'user', content: '<Bye>' },
    ])
  })
})
