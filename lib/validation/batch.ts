import { z } from 'zod'
import { ITEM_STATES, PRIORITIES } from '../batch/types.ts'
import { assertOneQuestion, type ChatLimits, ONE_QUESTION, questionFields } from './chat.ts'
import { NO_CONTROL, NO_CONTROL_RULE } from './no-control.ts'
import { pageCursor, pageLimit } from './page.ts'
import { optional } from './zod.ts'

const LONGEST_NAME = 200
const LONGEST_ID = 128
const LATEST_MS = 30 * 86_400_000
const LONGEST_URL = 2_000

const text = (longest: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .regex(NO_CONTROL, NO_CONTROL_RULE)

const isInexact = (value: number): boolean => Number.isInteger(value) && !Number.isSafeInteger(value)

/** A number is accepted as its digits, unless it is too large to be exact. */
export const idText = z.preprocess(
  value => (typeof value === 'number' && Number.isFinite(value) && !isInexact(value) ? `${value}` : value),
  z.string(),
)

const itemId = idText.pipe(text(LONGEST_ID)).meta({
  type: ['string', 'number'],
  description: 'Unique within the job; a number is taken as its digits.',
})

/** When a job may begin: an ISO 8601 time with its zone, as clock time in milliseconds. */
const scheduledFor = (now: number) =>
  z.iso
    .datetime({ offset: true, error: 'must be an ISO 8601 time with its zone, such as 2026-12-24T18:00:00Z' })
    .transform(value => Date.parse(value))
    .refine(at => at <= now + LATEST_MS, 'must be within the next 30 days')
    .meta({ description: 'When it may begin: an ISO 8601 time with its zone, within the next 30 days.' })

/** URL credentials would not be sent, and the URL is visible in the job. */
const hasNoCredentials = (address: string): boolean => {
  const { username, password } = new URL(address)
  return username === '' && password === ''
}

const webhookUrl = z
  .string()
  .max(LONGEST_URL, `must have at most ${LONGEST_URL} characters`)
  .regex(NO_CONTROL, NO_CONTROL_RULE)
  .pipe(z.url({ protocol: /^https$/, error: 'must be an https:// address', abort: true }))
  .refine(hasNoCredentials, 'must hold no user and no password')
  .meta({ description: 'An https:// address that is called when the job has ended.' })

/** A job's name, schedule, priority and webhook. */
export const jobFields = (now: number) => ({
  name: optional(text(LONGEST_NAME)),
  priority: optional(z.enum(PRIORITIES)),
  scheduledFor: optional(scheduledFor(now)),
  webhookUrl: optional(webhookUrl),
})

/** The fields of `POST /api/batch/upload` besides its files. */
export const uploadFields = (limits: ChatLimits, now: number) =>
  z.strictObject({
    ...jobFields(now),
    instruction: optional(
      z
        .string()
        .trim()
        .min(1, 'must not be empty')
        .max(limits.maxMessagesCharacters, `must have at most ${limits.maxMessagesCharacters} characters`),
    ),
    model: questionFields(limits).model,
  })

/** One item as submitted: a chat request, and an id that is unique within the job. */
export const itemBody = (limits: ChatLimits) =>
  z
    .strictObject({ ...questionFields(limits), id: optional(itemId) })
    .check(assertOneQuestion)
    .meta(ONE_QUESTION)

export type ItemBody = z.output<ReturnType<typeof itemBody>>

/** The body of `PATCH /api/batch/jobs/{id}`. */
export const jobChange = z.strictObject({ priority: z.enum(PRIORITIES) })

const limit = pageLimit()
const cursor = pageCursor(z.string().max(LONGEST_URL))

/** The query of a list of jobs. */
export const jobsQuery = z.strictObject({ limit, cursor })

/** The query of one job with a page of its items. */
export const jobQuery = z.strictObject({ limit, cursor, state: z.enum(ITEM_STATES).optional() })

/** The query of a job's results. */
export const resultsQuery = z.strictObject({ format: z.enum(['jsonl', 'csv']).default('jsonl') })

/** A query as an object; a repeated name is a fault of its own. */
export const queryOf = (request: Request): Readonly<Record<string, string>> => {
  const { searchParams } = new URL(request.url)
  return Object.fromEntries([...searchParams.keys()].map(key => [key, searchParams.getAll(key).join(',')]))
}
