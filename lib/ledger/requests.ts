import type { Selectable } from 'kysely'
import { cursorOf, readCursor, rowsAfter } from '../storage/records/pages.ts'
import type { Records } from '../storage/records/records.ts'
import type { LedgerAttemptsTable, LedgerRequestsTable } from '../storage/records/tables/money.ts'

export type RequestRecord = Selectable<LedgerRequestsTable>
export type AttemptRecord = Selectable<LedgerAttemptsTable>
export type ExplainedRequest = Readonly<{ request: RequestRecord; attempts: readonly AttemptRecord[] }>
export type RequestPage = Readonly<{ entries: readonly RequestRecord[]; cursor?: string }>

/** Random ids of rows. */
const ROW_ID = /^[\w.-]{1,64}$/

/** Postgres refuses it in any text. */
const ZERO = '\0'

/** The newest request of that id, of one owner where one is given; undefined where there is none. */
export const findRequest = (
  records: Records,
  requestId: string,
  owner: string | undefined,
): Promise<ExplainedRequest | undefined> => {
  if (requestId.includes(ZERO)) return Promise.resolve(undefined)
  return records.read(async db => {
    const request = await db
      .selectFrom('ledger_requests')
      .selectAll()
      .where('request_id', '=', requestId)
      .$if(owner !== undefined, query => query.where('owner', '=', owner ?? ''))
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (!request) return undefined
    const attempts = await db
      .selectFrom('ledger_attempts')
      .selectAll()
      .where('request', '=', request.id)
      .orderBy('at')
      .orderBy('id')
      .execute()
    return { request, attempts }
  })
}

/** Requests, newest first, of one owner where one is given. @throws GatewayError INVALID_INPUT for an unknown cursor */
export const listRequests = (
  records: Records,
  {
    owner,
    limit,
    cursor,
  }: Readonly<{ owner?: string | undefined; limit: number; cursor?: string | undefined }>,
): Promise<RequestPage> => {
  const after = cursor === undefined ? undefined : readCursor(cursor, ROW_ID)
  return records.read(async db => {
    const found = await db
      .selectFrom('ledger_requests')
      .selectAll()
      .$if(owner !== undefined, query => query.where('owner', '=', owner ?? ''))
      .where(where => rowsAfter(where, ['at', 'id'], 'desc', after))
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    const entries = found.slice(0, limit)
    const last = entries.at(-1)
    return { entries, ...(found.length > limit && last && { cursor: cursorOf(last) }) }
  })
}
