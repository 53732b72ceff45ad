import { z } from 'zod'
import { pageCursor, pageLimit } from './page.ts'

const limit = pageLimit()
const sequence = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'is not a cursor of this API')
  .transform(Number)
const cursor = pageCursor(sequence)

/** The query of `GET /api/admin/audit`. */
export const auditQuery = z.strictObject({ limit, cursor })
