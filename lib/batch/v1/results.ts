import { createHash } from 'node:crypto'
import { GatewayError } from '../../errors.ts'
import type { Usage } from '../../llm/types.ts'
import type { BatchRecords, Item, ItemState } from '../types.ts'
import {
  RESULT_KINDS,
  type ResultKind,
  type ResultLine,
  type StoredFile,
  type V1Batch,
  type V1Results,
} from './types.ts'

const PAGE = 500

const STATES: Readonly<Record<ResultKind, readonly ItemState[]>> = {
  output: ['succeeded'],
  errors: ['failed', 'cancelled'],
}

export type ResultsDeps = Readonly<{
  records: Pick<BatchRecords, 'items'>
  line: ResultLine
}>

/** The id of a result file: the same however often it is computed. */
export const resultFileId = ({ id }: Pick<V1Batch, 'id'>, kind: ResultKind): string =>
  `file-${createHash('sha256').update(`${id} ${kind}`).digest('hex').slice(0, 32)}`

/**
 * The items of a batch in one state, or all of them.
 * @throws GatewayError NOT_FOUND where they are removed meanwhile, as they would be incomplete
 */
export async function* itemsOfBatch(
  records: ResultsDeps['records'],
  { job }: V1Batch,
  state?: ItemState,
): AsyncGenerator<Item> {
  if (!job) return
  const { total, [state ?? 'succeeded']: inState } = job.counts
  let left = state ? inState : total
  let cursor: string | undefined
  do {
    const page = await records.items(job.id, { limit: PAGE, cursor, state })
    yield* page.entries
    left -= page.entries.length
    cursor = page.cursor
  } while (cursor !== undefined)
  if (left > 0)
    throw new GatewayError('NOT_FOUND', 'The batch was deleted while its results were being read.')
}

/** The lines of one result file, as they are in it. */
export async function* resultLines(
  batch: V1Batch,
  kind: ResultKind,
  { records, line }: ResultsDeps,
): AsyncGenerator<string> {
  for (const state of STATES[kind])
    for await (const item of itemsOfBatch(records, batch, state)) yield `${line(item, batch)}\n`
}

const SUMMED = ['inputTokens', 'outputTokens', 'cachedInputTokens', 'reasoningTokens'] as const

const plus = (sum: Usage, usage: Usage | undefined): Usage =>
  usage === undefined
    ? sum
    : { ...sum, ...Object.fromEntries(SUMMED.map(name => [name, (sum[name] ?? 0) + (usage[name] ?? 0)])) }

/** Counts the results of a batch whose job has ended. @param ttlMs how long its files are kept */
export const countResults = async (
  batch: V1Batch,
  deps: ResultsDeps,
  { now, ttlMs }: Readonly<{ now: number; ttlMs: number }>,
): Promise<V1Results> => {
  let usage: Usage = { inputTokens: 0, outputTokens: 0 }
  // Their results are no files.
  if (batch.api === 'message-batches') return { usage, endedAt: now }
  const files: Partial<Record<ResultKind, StoredFile>> = {}
  for (const kind of RESULT_KINDS) {
    let bytes = 0
    const line: ResultLine = (item, of) => {
      usage = plus(usage, item.response?.usage)
      return deps.line(item, of)
    }
    for await (const text of resultLines(batch, kind, { ...deps, line })) bytes += Buffer.byteLength(text)
    if (bytes === 0) continue
    files[kind] = {
      id: resultFileId(batch, kind),
      owner: batch.owner,
      name: `${batch.id}_${kind === 'output' ? 'output' : 'error'}.jsonl`,
      purpose: 'batch_output',
      bytes,
      createdAt: now,
      expiresAt: now + Math.min(batch.outputTtlMs ?? ttlMs, ttlMs),
      batchId: batch.id,
    }
  }
  return { ...files, usage, endedAt: now }
}
