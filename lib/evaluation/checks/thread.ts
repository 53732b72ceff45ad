import { parentPort } from 'node:worker_threads'
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

const validator = (schema: unknown) =>
  new Ajv2020({
    allErrors: false,
    strict: false,
    validateFormats: false,
    logger: false,
    code: { regExp: linear },
  }).compile(schema as object)

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
