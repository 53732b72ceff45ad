import type { AuditRow } from '../../audit/types.ts'

/** A row of the audit log as JSON. */
export const auditJson = ({ at, detail, ...row }: AuditRow) => ({
  ...row,
  at: new Date(at).toISOString(),
  detail: detail === null ? null : JSON.parse(detail),
})
