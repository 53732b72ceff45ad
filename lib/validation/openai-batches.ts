import { z } from 'zod'
import { V1_URLS } from '../batch/types.ts'
import { PURPOSES } from '../batch/v1/types.ts'
import { grouped } from './grouped.ts'
import { NO_CONTROL, NO_CONTROL_RULE } from './no-control.ts'
import { optional, withDefault } from './zod.ts'

/** Anthropic's route has batches of its own. */
const endpoint = z.enum(V1_URLS).exclude(['/v1/messages'])

const LEAST_SECONDS = 3_600
const MOST_SECONDS = 2_592_000
const MOST_PAIRS = 16
const LONGEST_KEY = 64
const LONGEST_VALUE = 512
const MOST_FILES = 10_000
const USUAL_FILES = 10_000
const MOST_BATCHES = 100
const USUAL_BATCHES = 20
const LONGEST_ID = 200

const id = z
  .string()
  .min(1, 'must not be empty')
  .max(LONGEST_ID, 'is too long')
  .regex(NO_CONTROL, NO_CONTROL_RULE)

const seconds = (number: z.ZodType<number>) =>
  number.refine(
    value => Number.isInteger(value) && value >= LEAST_SECONDS && value <= MOST_SECONDS,
    `must be a whole number from ${LEAST_SECONDS} to ${MOST_SECONDS}`,
  )

const anchor = z.literal('created_at')

/** The fields of `POST /v1/files` besides its file. Source: OpenAI, "Upload file". */
export const fileFields = z.object({
  purpose: z.enum(PURPOSES),
  'expires_after[anchor]': optional(anchor),
  'expires_after[seconds]': optional(seconds(z.coerce.number())),
})

const metadata = z
  .record(
    z.string().max(LONGEST_KEY, `must have keys of at most ${LONGEST_KEY} characters`),
    z.string().max(LONGEST_VALUE, `must have at most ${LONGEST_VALUE} characters`),
  )
  .refine(pairs => Object.keys(pairs).length <= MOST_PAIRS, `must have at most ${MOST_PAIRS} pairs`)

/** The body of `POST /v1/batches`. Source: OpenAI, "Create batch". */
export const batchBody = z.looseObject({
  input_file_id: id,
  endpoint,
  completion_window: z.literal('24h'),
  metadata: optional(metadata),
  output_expires_after: optional(z.looseObject({ anchor, seconds: seconds(z.number()) })),
})

export type BatchBody = z.output<typeof batchBody>

const limit = (usual: number, most: number) =>
  withDefault(
    z.coerce
      .number()
      .refine(
        value => Number.isInteger(value) && value >= 1 && value <= most,
        `must be a whole number from 1 to ${grouped(most)}`,
      ),
    usual,
  )

/** The query of `GET /v1/files`. */
export const filesQuery = z.object({
  limit: limit(USUAL_FILES, MOST_FILES),
  order: withDefault(z.enum(['asc', 'desc']), 'desc'),
  after: optional(id),
  purpose: optional(z.string().regex(NO_CONTROL, NO_CONTROL_RULE)),
})

/** The query of `GET /v1/batches`. */
export const batchesQuery = z.object({ limit: limit(USUAL_BATCHES, MOST_BATCHES), after: optional(id) })
