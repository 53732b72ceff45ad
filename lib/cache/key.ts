import { hash } from 'node:crypto'
import type { Call, RawMembers } from '../llm/types.ts'
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
  passthrough: true,
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
  reservation: false,
}

const SHAPING = (Object.keys(SHAPES_THE_ANSWER) as (keyof Call)[])
  .filter(name => SHAPES_THE_ANSWER[name])
  .toSorted()

/** A body that is passed on as it is says all the rest itself. */
const SHAPING_RAW = ['maxResponseBytes', 'model', 'raw', 'strict'] as const satisfies readonly (keyof Call)[]
/** What a body asks: its format, its headers, its text, and the answers that it refers to. */
const rawQuestion = (raw: Call['raw']): unknown =>
  raw && [raw.format, raw.headers, raw.json, raw.resolved?.members]
/** So does the body of an endpoint beside chat. */
const SHAPING_PASSTHROUGH = ['model', 'passthrough'] as const satisfies readonly (keyof Call)[]
/** Longer bodies are not looked up: hashing one would hold up other requests. */
const LONGEST_RAW = 1_048_576

const shapingOf = ({ raw, passthrough }: Call): readonly (keyof Call)[] => {
  if (passthrough) return SHAPING_PASSTHROUGH
  return raw ? SHAPING_RAW : SHAPING
}

const lengthOf = (members: RawMembers): number =>
  members.reduce((length, [name, value]) => length + name.length + value.length, 0)

const bodyLengthOf = ({ raw, passthrough }: Call): number => {
  if (raw) return raw.json.length + lengthOf(raw.resolved?.members ?? [])
  return passthrough?.body.kind === 'json' ? lengthOf(passthrough.body.members) : 0
}

/**
 * The cache key: equal for the same question of the same caller, from everything that shapes the answer and nothing of
 * its transport. Absent where the caller cannot be identified, or the body is too long.
 */
export const cacheKey = (call: Call): string | undefined => {
  const owner = ownerOf(call.caller)
  if (owner === undefined || bodyLengthOf(call) > LONGEST_RAW) return undefined
  let question = `${VERSION} ${JSON.stringify(owner)}`
  for (const name of shapingOf(call))
    question += `,${canonical(name === 'raw' ? rawQuestion(call.raw) : call[name])}`
  return hash('sha256', question, 'base64url')
}
