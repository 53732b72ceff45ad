import { hashOf, NOTHING_YET } from './chain.ts'
import type { AuditAnchor, AuditRow } from './types.ts'

/** The first row at which the log is not what was written. */
export type AuditFault = Readonly<{ sequence: number; reason: string }>

export type AuditVerdict =
  | Readonly<{ ok: true; last: AuditAnchor }>
  | Readonly<{ ok: false; fault: AuditFault }>

export type AuditLog = Readonly<{
  head: () => Promise<AuditAnchor>
  after: (sequence: number, limit: number) => Promise<readonly AuditRow[]>
}>

const PAGE = 1_000

const fault = (sequence: number, reason: string): AuditFault => ({ sequence, reason })

const rowFault = (row: AuditRow, previous: AuditAnchor): AuditFault | undefined => {
  const expected = previous.sequence + 1
  if (row.sequence > expected) return fault(expected, 'is missing')
  if (row.sequence < expected) return fault(row.sequence, 'was inserted: rows begin with number 1')
  if (hashOf(row) !== row.hash) return fault(row.sequence, 'was altered: its hash does not match its content')
  if (row.previousHash !== previous.hash)
    return fault(
      row.sequence,
      `was inserted, or row ${previous.sequence} was altered: it does not continue that row`,
    )
  return undefined
}

const anchorFault = (anchors: readonly AuditAnchor[], row: AuditRow): AuditFault | undefined =>
  anchors.some(({ sequence, hash }) => sequence === row.sequence && hash !== row.hash)
    ? fault(row.sequence, 'or one before it was altered: its hash is not that of the anchor')
    : undefined

const endFault = (last: AuditAnchor, head: AuditAnchor, anchors: readonly AuditAnchor[]) => {
  const longest = Math.max(head.sequence, ...anchors.map(({ sequence }) => sequence))
  if (last.sequence < longest) return fault(last.sequence + 1, 'is missing: rows at the end were removed')
  if (last.sequence > head.sequence) return fault(head.sequence + 1, 'was inserted at the end')
  return last.hash === head.hash ? undefined : fault(last.sequence, 'was altered')
}

/** Checks the rows after `last`. @returns the last of them, or the first fault */
const pageVerdict = (
  rows: readonly AuditRow[],
  last: AuditAnchor,
  anchors: readonly AuditAnchor[],
): AuditVerdict => {
  let previous = last
  for (const row of rows) {
    const found = rowFault(row, previous) ?? anchorFault(anchors, row)
    if (found) return { ok: false, fault: found }
    previous = { sequence: row.sequence, hash: row.hash }
  }
  return { ok: true, last: previous }
}

/**
 * Reads the whole log and finds the first row that was altered, removed or inserted. Rows may be appended meanwhile.
 * @param anchors numbers and hashes that were kept outside of the database: without one, an intruder with access to the
 * database could write the whole chain anew, or remove its end together with the head
 */
export const verifyAudit = async (log: AuditLog, anchors: readonly AuditAnchor[]): Promise<AuditVerdict> => {
  let last = NOTHING_YET
  let from = Number.MIN_SAFE_INTEGER
  for (;;) {
    const rows = await log.after(from, PAGE)
    const verdict = pageVerdict(rows, last, anchors)
    if (!verdict.ok) return verdict
    last = verdict.last
    from = last.sequence
    if (rows.length > 0) continue
    const head = await log.head()
    // The rows that the head counts can be read by now.
    if ((await log.after(last.sequence, 1)).length > 0) continue
    const found = endFault(last, head, anchors)
    return found ? { ok: false, fault: found } : { ok: true, last }
  }
}
