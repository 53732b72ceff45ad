import type { Transaction } from 'kysely'
import { ADMIN_ID, type Caller } from '../caller.ts'
import type { Clock } from '../clock.ts'
import type { RequestContext } from '../request-context.ts'
import type { RecordsSchema } from '../storage/records/schema.ts'
import type { AuditRecords } from './records.ts'
import type { Audit, AuditActor, AuditAnchor, AuditEntry, AuditOrigin, AuditRow } from './types.ts'

export type AuditDeps = Readonly<{
  records: AuditRecords
  clock: Clock
  /** Keeps the latest anchor outside of the database. */
  keepAnchor: (anchor: AuditAnchor) => void
  onError: (error: unknown) => void
}>

/** One page of the log, newest first; `more`: whether older rows follow. */
export type AuditPage = Readonly<{ rows: readonly AuditRow[]; more: boolean }>

const ANCHORED_EVERY_MS = 60_000

const actorOf = (caller: Caller): AuditActor => {
  switch (caller.kind) {
    case 'key':
      return caller.id === ADMIN_ID ? { kind: 'admin-token' } : { kind: 'key', id: caller.id }
    case 'guest':
      return { kind: 'session', id: caller.id }
    case 'anonymous':
      return { kind: 'anonymous' }
  }
}

/** The part of an entry that comes from a request. */
export const requestedBy = ({ caller, client, requestId }: RequestContext): AuditOrigin => ({
  actor: actorOf(caller),
  address: client.address,
  requestId,
})

/** The audit log: every action is in it before it takes place. */
export class AuditService implements Audit {
  readonly #deps: AuditDeps
  #anchored = 0

  constructor(deps: AuditDeps) {
    this.#deps = deps
    const timer = deps.clock.timer(ANCHORED_EVERY_MS, async () => {
      await this.anchor().catch(deps.onError)
      timer.refresh()
    })
  }

  append(entry: AuditEntry, transaction?: Transaction<RecordsSchema>): Promise<void> {
    const { records, clock } = this.#deps
    return records.append(entry, clock.now(), transaction)
  }

  /** The newest rows, or those before a row. */
  async list({
    before,
    limit,
  }: Readonly<{ before?: number | undefined; limit: number }>): Promise<AuditPage> {
    const rows = await this.#deps.records.before(before, limit + 1)
    return { rows: rows.slice(0, limit), more: rows.length > limit }
  }

  /** Keeps the number and the hash of the last row outside of the database, where there is a new one. */
  async anchor(): Promise<void> {
    const { records, keepAnchor } = this.#deps
    const head = await records.head()
    if (head.sequence <= this.#anchored) return
    keepAnchor(head)
    this.#anchored = head.sequence
  }
}
