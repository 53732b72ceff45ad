import { z } from 'zod'

const MOST_ENTRIES = 200

const limit = z
  .string()
  .regex(/^\d{1,4}$/, 'must be a whole number')
  .transform(Number)
  .refine(value => value >= 1 && value <= MOST_ENTRIES, `must be from 1 to ${MOST_ENTRIES}`)
  .default(50)
  .meta({ description: `Entries per page: 1 to ${MOST_ENTRIES}, 50 by default.` })
const sequence = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'is not a cursor of this API')
  .transform(Number)
const cursor = sequence.optional().meta({ description: 'The previous `nextCursor`.' })

/** The query of `GET /api/admin/audit`. */
export const auditQuery = z.strictObject({ limit, cursor })
