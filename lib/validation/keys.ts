import { z } from 'zod'
import { nanoUsdOf } from '../money.ts'
import { listOf } from './list-limits.ts'
import { NO_CONTROL, NO_CONTROL_RULE } from './no-control.ts'
import { pageCursor, pageLimit } from './page.ts'
import { optional, withDefault } from './zod.ts'

const LONGEST_NAME = 200
const LONGEST_OWNER = 128
const LONGEST_SCOPE = 200
const MOST_SCOPES = 100
const LONGEST_CURSOR = 200
const MOST_NUMBER = 1_000_000_000
const MOST_USD = 1_000_000
const LONGEST_OVERLAP_SECONDS = 30 * 86_400

const text = (longest: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .regex(NO_CONTROL, NO_CONTROL_RULE)

const name = text(LONGEST_NAME)
const owner = text(LONGEST_OWNER)
const role = z.enum(['member', 'admin'])
const route = text(LONGEST_SCOPE).regex(
  /^(?:\*|\/[\w.~{}/-]*\*?)$/,
  'must be a path such as /v1/chat/completions, or end with *, such as /v1/*',
)
const bounds = { most: MOST_SCOPES, tooMany: `must hold at most ${MOST_SCOPES} entries` }
const routes = listOf(route, bounds)
const models = listOf(text(LONGEST_SCOPE), bounds)
const number = z.int().min(1, 'must be at least 1').max(MOST_NUMBER, `must be at most ${MOST_NUMBER}`)
/** An amount in US dollars, as whole nanodollars. */
const usd = z
  .number()
  .min(0, 'must not be negative')
  .max(MOST_USD, `must be at most ${MOST_USD}`)
  .transform(nanoUsdOf)
  .meta({ type: 'number', description: 'US dollars, in whole nanodollars.' })
const time = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 time with its zone, such as 2026-12-24T18:00:00Z' })
  .transform(value => Date.parse(value))
  .meta({ description: 'An ISO 8601 time with its zone.' })

const budgetOf = <Amount>({ day, month }: Readonly<{ day?: Amount; month?: Amount }>) => ({
  ...(day !== undefined && { dayNanoUsd: day }),
  ...(month !== undefined && { monthNanoUsd: month }),
})

/** The body that makes an API key. @param now expiry must be later */
export const newKeyBody = (now: number) =>
  z
    .strictObject({
      name,
      owner: optional(owner),
      role: withDefault(role, 'member'),
      scopes: optional(z.strictObject({ routes: optional(routes), models: optional(models) })),
      limits: optional(
        z.strictObject({
          requestsPerMinute: optional(number),
          tokensPerMinute: optional(number),
          concurrency: optional(number),
        }),
      ),
      budgetUsd: optional(z.strictObject({ day: optional(usd), month: optional(usd) })),
      expiresAt: optional(time.refine(at => at > now, 'must be in the future')),
    })
    .transform(({ budgetUsd, ...key }) => ({ ...key, budget: budgetUsd && budgetOf(budgetUsd) }))

/** The body that changes one: absent members stay, and null takes a restriction away. */
export const keyChangeBody = z
  .strictObject({
    name: optional(name),
    owner: owner.nullish(),
    role: optional(role),
    scopes: z.strictObject({ routes: routes.nullish(), models: models.nullish() }).nullish(),
    limits: z
      .strictObject({
        requestsPerMinute: number.nullish(),
        tokensPerMinute: number.nullish(),
        concurrency: number.nullish(),
      })
      .nullish(),
    budgetUsd: z.strictObject({ day: usd.nullish(), month: usd.nullish() }).nullish(),
    expiresAt: time.nullish(),
  })
  .transform(({ budgetUsd, ...change }) => ({
    ...change,
    ...(budgetUsd !== undefined && { budget: budgetUsd && budgetOf(budgetUsd) }),
  }))

/** The body of a rotation: how long the old secret stays valid. */
export const rotationBody = z.strictObject({
  overlapSeconds: withDefault(
    z
      .int()
      .min(0, 'must not be negative')
      .max(LONGEST_OVERLAP_SECONDS, `must be at most ${LONGEST_OVERLAP_SECONDS}`),
    0,
  ),
})

const limit = pageLimit()
const cursor = pageCursor(z.string().max(LONGEST_CURSOR))

/** The query of a list of keys. */
export const keysQuery = z.strictObject({ limit, cursor })
