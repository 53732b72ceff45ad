import { z } from 'zod'
import { CACHE_KIND_RULE, kindsLike } from '../cache-kinds.ts'
import { TAG, TAG_RULE } from './tags.ts'
import { optional } from './zod.ts'

const LONGEST = 200
const name = z
  .string()
  .min(1, 'must not be empty')
  .max(LONGEST, `must have at most ${LONGEST} characters`)
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')

const kind = name.refine(pattern => kindsLike(pattern).length > 0, CACHE_KIND_RULE)

const WAYS = ['tag', 'kind', 'model', 'pattern', 'all'] as const

/** The body of `DELETE /api/admin/cache` and `POST /api/admin/cache/invalidate`: exactly one of its fields. */
export const invalidationBody = z
  .strictObject({
    tag: optional(z.string().regex(TAG, TAG_RULE)),
    kind: optional(kind),
    model: optional(name),
    pattern: optional(name),
    all: optional(z.literal(true)),
  })
  .check(({ value, issues }) => {
    if (WAYS.filter(way => value[way] !== undefined).length === 1) return
    issues.push({
      code: 'custom',
      path: ['tag'],
      message: 'or kind, model, pattern or all: send exactly one of them',
      input: value,
    })
  })
  .transform(({ tag, kind, model, pattern }) => {
    if (tag !== undefined) return { tag }
    if (kind !== undefined) return { kind }
    if (model !== undefined) return { model }
    return pattern === undefined ? { all: true as const } : { pattern }
  })
