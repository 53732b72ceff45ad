import type { AuditRow } from '../../audit/types.ts'
import { isoTime } from '../../clock.ts'

/** A row of the audit log as JSON. */
export const auditJson = ({ at, detail, ...row }: AuditRow) => ({
  ...row,
  at: isoTime(at),
  detail: detail === null ? null : JSON.parse(detail),
})
