import { createHash } from 'node:crypto'
import { canonicalJson } from '../canonical-json.ts'
import type { AuditActor, AuditAnchor, AuditEntry, AuditRow } from './types.ts'

/** The anchor of a log without rows. */
export const NOTHING_YET: AuditAnchor = { sequence: 0, hash: '0'.repeat(64) }

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const valueHash = (value: unknown): string | null =>
  value === undefined ? null : sha256(canonicalJson(value))

const actorText = (actor: AuditActor): string => ('id' in actor ? `${actor.kind} ${actor.id}` : actor.kind)

/** SHA-256 over a row with the hash of the one before. */
export const hashOf = (row: Omit<AuditRow, 'hash'>): string =>
  sha256(
    JSON.stringify([
      row.previousHash,
      row.sequence,
      row.at,
      row.actor,
      row.action,
      row.object,
      row.beforeHash,
      row.afterHash,
      row.detail,
      row.address,
      row.requestId,
    ]),
  )

/** The row that an entry becomes after another one. */
export const rowAfter = (previous: AuditAnchor, entry: AuditEntry, at: number): AuditRow => {
  const row = {
    sequence: previous.sequence + 1,
    at: Math.floor(at),
    actor: actorText(entry.actor),
    action: entry.action,
    object: entry.object,
    beforeHash: valueHash(entry.before),
    afterHash: valueHash(entry.after),
    detail: entry.detail === undefined ? null : canonicalJson(entry.detail),
    address: entry.address ?? null,
    requestId: entry.requestId ?? null,
    previousHash: previous.hash,
  }
  return { ...row, hash: hashOf(row) }
}
