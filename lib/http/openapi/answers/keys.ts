import { z } from 'zod'

const time = z.iso.datetime()

export const apiKey = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string().describe('The beginning of its secret, by which you recognise it.'),
  owner: z.string().nullable(),
  role: z.enum(['member', 'admin']),
  state: z
    .enum(['active', 'revoked', 'expired'])
    .describe('Ended too where a key that made it has: it is refused then.'),
  scopes: z.object({ routes: z.array(z.string()).optional(), models: z.array(z.string()).optional() }),
  limits: z.object({
    requestsPerMinute: z.int().optional(),
    tokensPerMinute: z.int().optional(),
    concurrency: z.int().optional(),
  }),
  budgetUsd: z.object({ day: z.number().optional(), month: z.number().optional() }),
  madeBy: z.string().describe('The id of the key that made it; `admin`: an admin did.'),
  createdAt: time.nullable(),
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
  lastUsedAt: time.nullable().describe('Exact to a minute; null where it has not been used.'),
})

export const madeKey = apiKey.extend({ key: z.string().describe('The secret. It is shown this once.') })

export const keyList = z.object({
  keys: z.array(apiKey),
  nextCursor: z.string().nullable().describe('The cursor of the next page; null at the end.'),
})

export const admin = z.object({ id: z.string(), name: z.string(), role: z.literal('admin') })

export const adminSession = admin.extend({ expiresInSeconds: z.int() })
