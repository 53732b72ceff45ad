import { z } from 'zod'
import { GRADER_TYPES, type GraderSpec } from '../evaluation/types.ts'
import { grouped } from './grouped.ts'
import { listOf } from './list-limits.ts'
import { NO_CONTROL, NO_CONTROL_RULE } from './no-control.ts'
import { optional, withDefault } from './zod.ts'

const MOST_GRADERS = 20
const LONGEST_NAME = 100
const LONGEST_MODEL = 200
const LONGEST_PATTERN = 1_000
const LONGEST_SCHEMA = 32_768
const LONGEST_RUBRIC = 20_000
const MOST_VALUES = 50
const MOST_MESSAGES = 50
const MOST_WEIGHT = 1_000

/** What is wrong with a value that fits no alternative of a union. */
const orRequired =
  (rule: string) =>
  ({ input }: Readonly<{ input?: unknown }>): string =>
    input === undefined ? 'is required' : rule

/** A text of a line. */
export const lineText = (longest: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .regex(NO_CONTROL, NO_CONTROL_RULE)

/** A model's name. */
export const modelName = z
  .string()
  .min(1, 'must not be empty')
  .max(LONGEST_MODEL, `must have at most ${LONGEST_MODEL} characters`)
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')

const share = z.number().min(0, 'must be from 0 to 1').max(1, 'must be from 0 to 1')
const rubric = z
  .string()
  .min(1, 'must not be empty')
  .max(LONGEST_RUBRIC, `must have at most ${grouped(LONGEST_RUBRIC)} characters`)

const common = {
  name: optional(lineText(LONGEST_NAME)),
  weight: withDefault(z.number().positive('must be above 0').max(MOST_WEIGHT), 1),
}

const texts = z
  .union(
    [
      z.string(),
      listOf(z.string(), {
        least: 1,
        most: MOST_VALUES,
        tooMany: `must hold at most ${MOST_VALUES} entries`,
      }),
    ],
    {
      error: orRequired('must be a text, or a list of texts'),
    },
  )
  .transform(value => (typeof value === 'string' ? [value] : value))

const SCHEMA_RULE = `must be a JSON Schema of at most ${grouped(LONGEST_SCHEMA)} characters`
const schema = z
  .union([z.record(z.string(), z.unknown()), z.boolean()], { error: orRequired(SCHEMA_RULE) })
  .refine(value => JSON.stringify(value).length <= LONGEST_SCHEMA, SCHEMA_RULE)

const kinds = [
  z.strictObject({
    ...common,
    type: z.literal('exact'),
    value: optional(z.string()),
    ignoreCase: withDefault(z.boolean(), false),
    trim: withDefault(z.boolean(), true),
  }),
  z
    .strictObject({
      ...common,
      type: z.literal('contains'),
      value: optional(texts),
      values: optional(texts),
      match: withDefault(z.enum(['all', 'any']), 'all'),
      ignoreCase: withDefault(z.boolean(), false),
    })
    .transform(({ value, values = value, ...grader }) => ({ ...grader, values })),
  z.strictObject({
    ...common,
    type: z.literal('regex'),
    pattern: z
      .string()
      .min(1, 'must not be empty')
      .max(LONGEST_PATTERN, `must have at most ${LONGEST_PATTERN} characters`)
      .meta({ description: 'In RE2’s syntax: without look-around and back references.' }),
    flags: withDefault(z.string().regex(/^(?!.*(.).*\1)[ims]*$/, 'must be of i, m and s, each once'), ''),
  }),
  z.strictObject({ ...common, type: z.literal('json-schema'), schema }),
  z.strictObject({
    ...common,
    type: z.literal('similarity'),
    model: optional(modelName),
    threshold: withDefault(share, 0.8),
  }),
  z.strictObject({ ...common, type: z.literal('cost'), maxUsd: z.number().min(0, 'must not be negative') }),
  z.strictObject({ ...common, type: z.literal('latency'), maxMs: z.number().min(0, 'must not be negative') }),
  z.strictObject({
    ...common,
    type: z.literal('judge'),
    model: optional(modelName),
    rubric: optional(rubric),
    baseline: optional(z.string()),
    threshold: withDefault(share, 0.5),
  }),
] as const

const TYPES: readonly string[] = GRADER_TYPES

/** A grader's type alone stands for it with its defaults; its type may be its name. */
const spelledOut = (value: unknown): unknown => {
  if (typeof value === 'string') return { type: value }
  if (typeof value !== 'object' || value === null || 'type' in value) return value
  const { name } = value as { name?: unknown }
  return typeof name === 'string' && TYPES.includes(name) ? { ...value, type: name } : value
}

const grader = z.preprocess(
  spelledOut,
  z.discriminatedUnion('type', kinds, {
    error: ({ code, input }) =>
      code === 'invalid_union' && typeof input === 'object'
        ? `must be one of ${GRADER_TYPES.join(', ')}`
        : undefined,
  }),
)

type SentGrader = z.output<typeof grader>

/** Graders without a name get their type's, with a number where several have it. */
const withNames = (graders: readonly SentGrader[]): GraderSpec[] => {
  const used = new Set(graders.flatMap(({ name }) => name ?? []))
  return graders.map(({ name, ...spec }) => {
    let own = name ?? spec.type
    for (let number = 2; name === undefined && used.has(own); number += 1) own = `${spec.type}-${number}`
    used.add(own)
    return { ...spec, name: own } satisfies GraderSpec
  })
}

/** The graders of a request. */
export const graderList = listOf(grader, {
  least: 1,
  most: MOST_GRADERS,
  tooMany: `must hold at most ${MOST_GRADERS} graders`,
})
  .check(({ value, issues }) => {
    const names = value.flatMap(({ name }) => name ?? [])
    for (const [index, name] of names.entries())
      if (names.indexOf(name) !== index)
        issues.push({
          code: 'custom',
          path: [index, 'name'],
          message: 'is that of another grader too',
          input: value,
        })
  })
  .transform(withNames)

const message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string().min(1, 'must not be empty'),
})

/** A text, or the messages of a conversation. */
export const evaluationInput = z.union(
  [
    z.string().min(1, 'must not be empty'),
    listOf(message, {
      least: 1,
      most: MOST_MESSAGES,
      tooMany: `must hold at most ${MOST_MESSAGES} messages`,
    }),
  ],
  { error: orRequired('must be a text, or a list of messages') },
)

/** What a row of a data set and an evaluation have in common. */
export const rowFields = {
  input: evaluationInput,
  reference: optional(z.string().meta({ description: 'The expected answer.' })),
  rubric: optional(rubric),
}

/** The body of `POST /api/evaluate`. */
export const evaluateBody = z.strictObject({
  ...rowFields,
  answer: z.string(),
  graders: graderList,
  model: optional(modelName.meta({ description: 'Of the grader `judge`, where that names none.' })),
  costUsd: optional(z.number().min(0, 'must not be negative').meta({ description: 'What the answer cost.' })),
  latencyMs: optional(z.number().min(0, 'must not be negative')),
})

export type EvaluateBody = z.output<typeof evaluateBody>
