import { serve } from '#lib/gateway/index.ts'
import { auditJson } from '#lib/http/dialects/audit.ts'
import { auditQuery } from '#lib/validation/audit.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** The audit log, newest first. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/audit', surface: 'api', access: 'admin', changes: false },
  {
    GET: async ({ request, gateway }) => {
      const { limit, cursor: before } = parseOrThrow(auditQuery, queryOf(request))
      const { rows, more } = await gateway.audit.list({ limit, before })
      const last = more ? rows.at(-1) : undefined
      return { json: { entries: rows.map(auditJson), nextCursor: last ? String(last.sequence) : null } }
    },
  },
)
