import { z } from 'zod'

const MOST_ENTRIES = 200
const USUAL_ENTRIES = 50

/** How many entries a page of a list has, in a query. */
export const pageLimit = (most = MOST_ENTRIES, entries = 'Entries') =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine(value => value >= 1 && value <= most, `must be from 1 to ${most}`)
    .default(USUAL_ENTRIES)
    .meta({ description: `${entries} per page: 1 to ${most}, ${USUAL_ENTRIES} by default.` })

/** Where a page begins, in a query. */
export const pageCursor = <Cursor extends z.ZodType>(cursor: Cursor) =>
  cursor.optional().meta({ description: 'The previous `nextCursor`.' })
