import { z } from 'zod'
import { TAG, TAG_RULE } from './tags.ts'
import { optional } from './zod.ts'

const LONGEST = 200
const name = z
  .string()
  .min(1, 'must not be empty')
  .max(LONGEST, `must have at most ${LONGEST} characters`)
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')

const WAYS = ['tag', 'model', 'pattern', 'all'] as const

/** The body of `DELETE /api/admin/cache`: exactly one of its fields. */
export const invalidationBody = z
  .strictObject({
    tag: optional(z.string().regex(TAG, TAG_RULE)),
    model: optional(name),
    pattern: optional(name),
    all: optional(z.literal(true)),
  })
  .check(({ value, issues }) => {
    if (WAYS.filter(way => value[way] !== undefined).length === 1) return
    issues.push({
      code: 'custom',
      path: ['tag'],
      message: 'or model, pattern or all: send exactly one of them',
      input: value,
    })
  })
  .transform(({ tag, model, pattern }) => {
    if (tag !== undefined) return { tag }
    if (model !== undefined) return { model }
    return pattern === undefined ? { all: true as const } : { pattern }
  })
