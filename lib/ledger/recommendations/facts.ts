import { type Position, rowsAfter } from '../../storage/records/pages.ts'
import type { Records } from '../../storage/records/records.ts'
import type { PrefixFact, RequestFact } from './types.ts'

/** Few enough that reading a page delays no other request. */
const PAGE_ROWS = 1_000

/** The time from which on rows are read, the newest first, and how many at most. */
export type Scope = Readonly<{ from: number; mostRows: number }>

type Page<T> = (
  after: Position | undefined,
  limit: number,
) => Promise<readonly (T & Readonly<{ id: string }>)[]>

/** Calls `each` for all rows within the scope, newest first; resolves with how many there were. */
const forEachRow = async <T extends Readonly<{ at: number }>>(
  page: Page<T>,
  { mostRows }: Scope,
  each: (row: T) => void,
): Promise<number> => {
  let count = 0
  let after: Position | undefined
  while (count < mostRows) {
    const limit = Math.min(PAGE_ROWS, mostRows - count)
    const rows = await page(after, limit)
    for (const row of rows) each(row)
    count += rows.length
    after = rows.at(-1)
    if (rows.length < limit) break
  }
  return count
}

/** Requests of clients and items of batches, but for refreshes of the cache. */
export const forEachRequest = (
  records: Records,
  scope: Scope,
  each: (fact: RequestFact) => void,
): Promise<number> =>
  forEachRow<RequestFact>(
    (after, limit) =>
      records.read(async db => {
        const rows = await db
          .selectFrom('ledger_requests')
          .select(['id', 'at', 'owner', 'route', 'model', 'outcome', 'cache', 'input', 'output', 'question'])
          .select(['model_asked as asked', 'image_input as imageInput', 'cost_nano as costNano'])
          .where('at', '>=', scope.from)
          .where('kind', '!=', 'refresh')
          .where(where => rowsAfter(where, ['at', 'id'], 'desc', after))
          .orderBy('at', 'desc')
          .orderBy('id', 'desc')
          .limit(limit)
          .execute()
        return rows
      }),
    scope,
    each,
  )

/** Attempts with a prompt that a vendor's cache would have taken, and did not. */
export const forEachPrefix = (
  records: Records,
  scope: Scope,
  each: (fact: PrefixFact) => void,
): Promise<number> =>
  forEachRow<PrefixFact>(
    (after, limit) =>
      records.read(async db => {
        const rows = await db
          .selectFrom('ledger_attempts')
          .select(['id', 'at', 'owner', 'provider', 'model', 'prefix', 'prefix_tokens'])
          .where('prefix', 'is not', null)
          .where('at', '>=', scope.from)
          .where(where => rowsAfter(where, ['at', 'id'], 'desc', after))
          .orderBy('at', 'desc')
          .orderBy('id', 'desc')
          .limit(limit)
          .execute()
        return rows.map(({ prefix, prefix_tokens, ...row }) => ({
          ...row,
          prefix: prefix ?? '',
          tokens: prefix_tokens ?? 0,
        }))
      }),
    scope,
    each,
  )
