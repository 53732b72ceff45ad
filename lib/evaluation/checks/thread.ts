import { parentPort } from 'node:worker_threads'
import { Ajv, type AnySchema, type Options } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { RE2JS } from 're2js'
import type { CheckRequest } from './messages.ts'

const MOST_VIOLATIONS = 5
const FLAGS: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
}

const compiled = (pattern: string, flags: string): RE2JS =>
  RE2JS.compile(
    pattern,
    [...flags].reduce((sum, flag) => sum | (FLAGS[flag] ?? 0), 0),
  )

/** Patterns in schemas are matched in linear time too. */
const linear = Object.assign(
  (pattern: string) => {
    const expression = RE2JS.compile(pattern)
    return { test: (text: string) => expression.test(text) }
  },
  { code: 'linear' },
)

const OPTIONS: Options = {
  allErrors: false,
  strict: false,
  validateFormats: false,
  logger: false,
  code: { regExp: linear },
}

type Draft = new (options: Options) => Ajv

/** The drafts by the end of `$schema`, with or without `http:`, `https:` and `#`. */
const DRAFTS: ReadonlyMap<string, Draft> = new Map<string, Draft>([
  ['draft-06', Ajv],
  ['draft-07', Ajv],
  ['draft/2019-09', Ajv2019],
  ['draft/2020-12', Ajv2020],
])
const ADDRESS = /^https?:\/\/json-schema\.org\/(.+)\/schema#?$/
const UNKNOWN_DRAFT = `$schema must be that of ${[...DRAFTS.keys()].join(', ')}, or be left out`

/** A schema for the validator of its draft, which is 2020-12 where it names none. */
const ofDraft = (schema: unknown) => {
  if (typeof schema !== 'object' || schema === null || !('$schema' in schema))
    return { Draft: Ajv2020, plain: schema }
  const { $schema, ...plain } = schema
  const [, draft = ''] = ADDRESS.exec(String($schema)) ?? []
  const Draft = DRAFTS.get(draft)
  if (!Draft) throw new Error(UNKNOWN_DRAFT)
  return { Draft, plain }
}

/** What checks schemas themselves, by their draft: to make one takes longer than most checks. It keeps no schema. */
const ofSchemas = new Map<Draft, Ajv>()

const assertValid = (Draft: Draft, schema: AnySchema): void => {
  const known = ofSchemas.get(Draft) ?? new Draft(OPTIONS)
  ofSchemas.set(Draft, known)
  if (!known.validateSchema(schema)) throw new Error(`schema is invalid: ${known.errorsText()}`)
}

/** The function that validates; one with `$async` would return a promise, which says nothing yet. */
const validator = (schema: unknown) => {
  const { Draft, plain } = ofDraft(schema)
  assertValid(Draft, plain as AnySchema)
  const validate = new Draft({ ...OPTIONS, validateSchema: false }).compile(plain as AnySchema)
  if ('$async' in validate) throw new Error('$async is no keyword of JSON Schema')
  return validate
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const faultOf = (compile: () => unknown): string | undefined => {
  try {
    compile()
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

const violations = (schema: unknown, text: string): readonly string[] => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return ['The answer is not JSON.']
  }
  const validate = validator(schema)
  if (validate(value)) return []
  return (validate.errors ?? [])
    .slice(0, MOST_VIOLATIONS)
    .map(
      ({ instancePath, message = 'is not valid' }) =>
        `The answer${instancePath === '' ? '' : ` at ${instancePath}`} ${message}.`,
    )
}

const run = (request: CheckRequest): unknown => {
  switch (request.kind) {
    case 'pattern':
      return faultOf(() => compiled(request.pattern, request.flags))
    case 'schema':
      return faultOf(() => validator(request.schema))
    case 'match':
      return compiled(request.pattern, request.flags).test(request.text)
    case 'validate':
      return violations(request.schema, request.text)
  }
}

parentPort?.postMessage({ isReady: true })
parentPort?.on('message', ({ id, request }: { id: number; request: CheckRequest }) => {
  try {
    parentPort?.postMessage({ id, result: run(request) })
  } catch (error) {
    parentPort?.postMessage({ id, error: messageOf(error) })
  }
})
