import { isObject } from '../../../raw-json.ts'
import type { Call } from '../../types.ts'
import { type CallWarning, clientsName, isRawFor } from './raw-request.ts'

/** The members of a schema that are a schema, a list of them, or have one as each of their members. */
const SCHEMAS = ['items', 'not'] as const
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const
const BY_NAME = ['properties', '$defs', 'definitions'] as const
const DEEPEST = 100

const isClosed = ({
  type,
  properties,
  additionalProperties,
  required,
}: Readonly<Record<string, unknown>>) => {
  if (type !== 'object' && properties === undefined) return true
  const needed = new Set(Array.isArray(required) ? required : [])
  return additionalProperties === false && Object.keys(properties ?? {}).every(name => needed.has(name))
}

/** Source: OpenAI, "Structured Outputs": every member is required, and no object takes others. */
const isStrict = (schema: unknown, depth = 0): boolean => {
  if (!isObject(schema)) return true
  if (depth > DEEPEST || !isClosed(schema)) return false
  const inside = [
    ...SCHEMAS.map(name => schema[name]),
    ...LISTS.flatMap(name => (Array.isArray(schema[name]) ? schema[name] : [])),
    ...BY_NAME.flatMap(name => (isObject(schema[name]) ? Object.values(schema[name]) : [])),
  ]
  return inside.every(one => isStrict(one, depth + 1))
}

/** A call's schemas are asked for by its request and by its warnings. */
const known = new WeakMap<object, boolean>()

const mayBeStrict = (schema: unknown): boolean => {
  if (!isObject(schema)) return true
  const answer = known.get(schema) ?? isStrict(schema)
  known.set(schema, answer)
  return answer
}

/** Whether a schema is to be followed strictly: as it is wanted, where OpenAI takes such a schema so. */
export const strictFor = (wanted: boolean | undefined, schema: unknown): boolean | undefined =>
  wanted && mayBeStrict(schema)

const isLost = ({ strict, schema }: Readonly<{ strict?: boolean; schema?: unknown }>): boolean =>
  strict === true && !mayBeStrict(schema)

/** The warning where a translated call wants that of a schema that OpenAI does not take so. */
export const strictWarnings = (call: Call): readonly CallWarning[] => {
  const { tools = [], responseFormat } = call.parameters ?? {}
  if (isRawFor(call, 'openai-chat')) return []
  const warned = (param: string, names: readonly string[]): readonly CallWarning[] => {
    const text = `Schemas with open objects or members that may be absent are not followed strictly here: ${names.join(', ')}.`
    return names.length > 0 ? [{ param, text }] : []
  }
  const lost = tools.filter(({ strict, parameters }) =>
    isLost({ ...(strict && { strict }), schema: parameters }),
  )
  const isFormLost = responseFormat?.type === 'json-schema' && isLost(responseFormat)
  return [
    ...warned(
      'tools.strict',
      lost.map(({ name }) => name),
    ),
    ...warned(clientsName(call, 'response_format'), isFormLost ? [responseFormat.name] : []),
  ]
}
