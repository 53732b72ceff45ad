import { z } from 'zod'

const hash = z.string().regex(/^[\da-f]{64}$/)
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const auditPage = z.object({
  entries: z.array(
    z.object({
      sequence: z.int(),
      at: z.string(),
      actor: z.string().describe('`admin-token`, `anonymous`, `system`, `key ID` or `session ID`.'),
      action: z.string(),
      object: z.string(),
      beforeHash: hash.nullable(),
      afterHash: hash.nullable(),
      detail: z.record(z.string(), scalar).nullable(),
      address: z.string().nullable(),
      requestId: z.string().nullable(),
      previousHash: hash,
      hash,
    }),
  ),
  nextCursor: z.string().nullable(),
})
