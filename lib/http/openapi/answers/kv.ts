import { z } from 'zod'

/** Any JSON value. */
export const kvValue = z.json()
export const kvStored = z.object({ key: z.string(), bytes: z.int() })
export const kvKeys = z.object({
  keys: z.array(z.string()),
  nextCursor: z.string().nullable().describe('The `cursor` of the next page; null on the last one.'),
})
