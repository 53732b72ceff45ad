import type { JsonSchema } from '#lib/http/openapi/json-schema.ts'
import type { Parameter } from '#lib/http/openapi/operation.ts'

/** One field of a schema, as a row of a table. */
export type Row = {
  /** The field's name after those of the fields that hold it: `messages[].role`. */
  name: string
  type: string
  /** The schema it refers to. */
  reference?: string | undefined
  isRequired: boolean
  rules: string
}

const DEEPEST = 5

/** A schema's fields, each followed by what it holds, down to `deepest` levels below the first. */
export function rowsOf(schema: JsonSchema, deepest = DEEPEST): Row[] {
  return fieldsOf(schema, '', deepest)
}

export function parameterRows(parameters: readonly Parameter[]): Row[] {
  return parameters.map(({ name, in: place, description, required = false, schema }) => ({
    name,
    type: `${place}, ${typeOf(schema)}`,
    isRequired: required,
    rules: joined([description, ...limitsOf(schema)]),
  }))
}

function fieldsOf(schema: JsonSchema, prefix: string, deepest: number): Row[] {
  const required = listIn(schema.required)
  const found = new Map<string, Row>()
  const add = (row: Row) => found.has(row.name) || found.set(row.name, row)
  for (const [field, value] of Object.entries(objectIn(schema.properties))) {
    const one = objectIn(value)
    const name = `${prefix}${field}`
    add({
      name,
      type: typeOf(one),
      reference: referenceIn(one),
      isRequired: required.includes(field),
      rules: joined([textIn(one.description), ...limitsOf(one)]),
    })
    if (deepest > 0) for (const row of heldBy(one, name, deepest - 1)) add(row)
  }
  return [...found.values()]
}

/** The fields of an object, of a list's elements, or of each of several forms. */
function heldBy(schema: JsonSchema, name: string, deepest: number): Row[] {
  const items = objectIn(schema.items)
  const others = objectIn(schema.additionalProperties)
  return [
    ...fieldsOf(schema, `${name}.`, deepest),
    ...(schema.items ? heldBy(items, `${name}[]`, deepest) : []),
    ...fieldsOf(others, `${name}.*.`, deepest),
    ...listIn(schema.anyOf).flatMap(form => heldBy(objectIn(form), name, deepest)),
  ]
}

function typeOf(schema: JsonSchema): string {
  const reference = referenceIn(schema)
  if (reference) return reference
  if ('const' in schema) return JSON.stringify(schema.const)
  const values = listIn(schema.enum).filter(value => value !== null)
  if (values.length > 0) return values.join(' · ')
  const forms = listIn(schema.anyOf).map(form => typeOf(objectIn(form)))
  if (forms.length > 0) return forms.filter(form => form !== '').join(' or ')
  const types = [schema.type ?? 'anything'].flat().filter(type => type !== 'null')
  return types.map(type => (type === 'array' ? listType(schema) : String(type))).join(' or ')
}

function listType({ items }: JsonSchema): string {
  return items ? `list of ${typeOf(objectIn(items))}` : 'list'
}

function limitsOf(schema: JsonSchema): string[] {
  const { minLength, maxLength, minItems, maxItems, minimum, maximum, default: standard } = schema
  return [
    rangeOf(minimum, maximum, ''),
    rangeOf(minLength, maxLength, 'characters'),
    rangeOf(minItems, maxItems, 'entries'),
    standard === undefined ? '' : `Default: \`${JSON.stringify(standard)}\`.`,
  ]
}

function rangeOf(least: unknown, most: unknown, unit: string): string {
  if (typeof most !== 'number')
    return least === undefined
      ? ''
      : unit && least === 1
        ? 'Not empty.'
        : `At least ${least} ${unit}`.trim().concat('.')
  const range = typeof least === 'number' ? `${least} to ${number(most)}` : `At most ${number(most)}`
  return `${range} ${unit}`.trim().concat('.')
}

const number = (value: number) => value.toLocaleString('en')
const joined = (parts: string[]) => parts.filter(part => part !== '').join(' ')
const textIn = (value: unknown): string => (typeof value === 'string' ? value : '')
const listIn = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const objectIn = (value: unknown): JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {}

function referenceIn({ $ref }: JsonSchema): string | undefined {
  return typeof $ref === 'string' ? $ref.split('/').at(-1) : undefined
}
