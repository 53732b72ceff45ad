import type { Integer } from './columns.ts'

/** The audit log. Rows are only added. */
export type AuditLogTable = {
  /** From 1, without gaps. */
  sequence: Integer
  at: Integer
  actor: string
  action: string
  object: string
  before_hash: string | null
  after_hash: string | null
  /** JSON of an object. */
  detail: string | null
  address: string | null
  request_id: string | null
  previous_hash: string
  hash: string
}

/** The number and the hash of the audit log's last row. One row, with the id 1. */
export type AuditHeadTable = { id: number; sequence: Integer; hash: string }
