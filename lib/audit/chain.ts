import { createHash } from 'node:crypto'
import type { AuditActor, AuditAnchor, AuditEntry, AuditRow } from './types.ts'

/** The anchor of a log without rows. */
export const NOTHING_YET: AuditAnchor = { sequence: 0, hash: '0'.repeat(64) }

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  const sorted = members.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join()}}`
}

const valueHash = (value: unknown): string | null => (value === undefined ? null : sha256(canonical(value)))

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
    detail: entry.detail === undefined ? null : canonical(entry.detail),
    address: entry.address ?? null,
    requestId: entry.requestId ?? null,
    previousHash: previous.hash,
  }
  return { ...row, hash: hashOf(row) }
}
