import { hash } from 'node:crypto'
import type { Call, RawRequest } from '../llm/types.ts'
import { ownerOf } from '../request-context.ts'

/**
 * The same text for equivalent values, and different texts for different ones: fields in alphabetical order,
 * absent ones left out, -0 as 0, strings as JSON writes them (also unpaired surrogates).
 */
export const canonical = (value: unknown): string => {
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? String(value + 0) : `"${value}"n`
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const fields: string[] = []
  for (const name of Object.keys(value).toSorted()) {
    const field = (value as Readonly<Record<string, unknown>>)[name]
    if (field !== undefined) fields.push(`${JSON.stringify(name)}:${canonical(field)}`)
  }
  return `{${fields.join()}}`
}

/** Changes whenever an answer stored by an older version must not be found by a newer one. */
const VERSION = 2

/**
 * Whether each field of a call shapes its answer. A field that is added to `Call` must be classified here: one that is
 * missing from the key by mistake returns the answer to another question.
 */
const SHAPES_THE_ANSWER: Readonly<Record<keyof Call, boolean>> = {
  model: true,
  messages: true,
  temperature: true,
  maxOutputTokens: true,
  maxResponseBytes: true,
  parameters: true,
  raw: true,
  strict: true,

  // A fallback's answer is never stored, so this does not affect stored ones.
  attempts: false,
  background: false,
  fallback: false,
  resume: false,
  isFallback: false,
  stream: false,
  cache: false,
  cacheTags: false,
  deadlineAt: false,
  plan: false,
  requestId: false,
  route: false,
  surface: false,
  client: false,
  caller: false,
  signal: false,
  startedAt: false,
  journal: false,
}

const SHAPING = (Object.keys(SHAPES_THE_ANSWER) as (keyof Call)[])
  .filter(name => SHAPES_THE_ANSWER[name])
  .toSorted()

/** A body that is passed on as it is says all the rest itself. */
const SHAPING_RAW = ['maxResponseBytes', 'model', 'raw', 'strict'] as const satisfies readonly (keyof Call)[]
/** Longer bodies are not looked up: hashing one would hold up other requests. */
const LONGEST_RAW = 1_048_576

/** What a body asks: its format, its text, and the answers that it refers to. */
const askedBy = ({ format, json, resolved }: RawRequest): readonly unknown[] => [
  format,
  json,
  resolved?.members,
]

const isLong = ({ json, resolved }: RawRequest): boolean => {
  const members = resolved?.members ?? []
  return members.reduce((length, [, value]) => length + value.length, json.length) > LONGEST_RAW
}

/**
 * The cache key: equal for the same question of the same caller, from everything that shapes the answer and nothing of
 * its transport. Absent where the caller cannot be identified, or the body is too long.
 */
export const cacheKey = (call: Call): string | undefined => {
  const owner = ownerOf(call.caller)
  if (owner === undefined || (call.raw && isLong(call.raw))) return undefined
  let question = `${VERSION} ${JSON.stringify(owner)}`
  for (const name of call.raw ? SHAPING_RAW : SHAPING)
    question += `,${canonical(name === 'raw' ? call.raw && askedBy(call.raw) : call[name])}`
  return hash('sha256', question, 'base64url')
}
