import { type OutputUnit, type Schema, type SchemaDraft, Validator } from '@cfworker/json-schema'
import type { CheckResult } from './messages.ts'

const LONGEST_EXPLANATION = 500
const LONGEST_PATH = 200

/** The draft that the end of `$schema` names; 2020-12 without one, as in OpenAI's and Anthropic's schemas. */
const draftOf = ({ $schema }: Schema): SchemaDraft => {
  const [, draft = ''] = /draft[-/]?(0[4-7]|2019-09|2020-12)/.exec(String($schema ?? '')) ?? []
  if (draft === '04') return '4'
  if (draft === '2019-09') return draft
  return /^0[67]$/.test(draft) ? '7' : '2020-12'
}

/** Keywords whose failure only says that something within them fails. */
const OUTER: ReadonlySet<string> = new Set([
  '$ref',
  '$recursiveRef',
  'allOf',
  'if',
  'properties',
  'patternProperties',
  'additionalProperties',
  'unevaluatedProperties',
  'dependentSchemas',
  'items',
  'prefixItems',
  'additionalItems',
  'unevaluatedItems',
])

/** The segments of a location, a JSON pointer as a fragment. Source: RFC 6901, section 6. */
const segmentsOf = (location: string): readonly string[] =>
  location
    .split('/')
    .slice(1)
    .map(segment => decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~'))

const pathOf = (segments: readonly string[]): string =>
  segments
    .reduce(
      (path, segment) => (/^\d{1,6}$/.test(segment) ? `${path}[${segment}]` : `${path}.${segment}`),
      '$',
    )
    .slice(0, LONGEST_PATH)

/** All names in a schema: none of them is a word of the answer alone. */
const namesIn = (schema: unknown, names = new Set<string>()): ReadonlySet<string> => {
  if (typeof schema !== 'object' || schema === null) return names
  for (const [name, value] of Object.entries(schema)) {
    names.add(name)
    namesIn(value, names)
  }
  return names
}

const failure = (schema: Schema | boolean, errors: readonly OutputUnit[]): CheckResult => {
  const error = errors.find(({ keyword }) => !OUTER.has(keyword)) ?? errors[0]
  const segments = segmentsOf(error?.instanceLocation ?? '#')
  const names = namesIn(schema)
  const safe = segments.map(one => (/^\d{1,6}$/.test(one) || names.has(one) ? one : '*'))
  return {
    outcome: 'invalid',
    path: pathOf(safe),
    keyword: error?.keyword ?? 'schema',
    explanation: `${pathOf(segments)}: ${error?.error ?? 'It does not match.'}`.slice(0, LONGEST_EXPLANATION),
  }
}

const parsed = (text: string): Readonly<{ value: unknown }> | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const isSchema = (value: unknown): value is Schema | boolean =>
  typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))

/** Checks a text against a schema. May take for ever on a hostile schema: it runs on a thread that can be ended. */
export const checkText = (schemaText: string, text: string): CheckResult => {
  const answer = parsed(text)
  if (!answer)
    return { outcome: 'invalid', path: '$', keyword: 'json', explanation: '$: It is not valid JSON.' }
  try {
    const schema: unknown = JSON.parse(schemaText)
    if (!isSchema(schema)) return { outcome: 'unchecked', reason: 'unusable-schema' }
    const draft = typeof schema === 'boolean' ? '2020-12' : draftOf(schema)
    const { valid, errors } = new Validator(schema, draft).validate(answer.value)
    return valid ? { outcome: 'valid' } : failure(schema, errors)
  } catch {
    // A reference to nothing, a pattern that is none, a nesting too deep for the stack.
    return { outcome: 'unchecked', reason: 'unusable-schema' }
  }
}
