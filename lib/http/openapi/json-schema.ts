import { z } from 'zod'

/** A JSON Schema of draft 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = Readonly<{ [keyword: string]: unknown }>

export type Reference = Readonly<{ $ref: string }>

/** What clients send, or what they receive. */
export type Direction = 'request' | 'response'

type Draft = { [keyword: string]: unknown }
type Overriding = { zodSchema: z.core.$ZodType; jsonSchema: Draft }

/** `optional` and `withDefault` take null for absent. */
const allowNull = (schema: Draft): void => {
  delete schema.nullable
  if ('$ref' in schema) {
    schema.anyOf = [{ $ref: schema.$ref }, { type: 'null' }]
    delete schema.$ref
  } else if (Array.isArray(schema.anyOf)) schema.anyOf = [...schema.anyOf, { type: 'null' }]
  if (schema.type !== undefined) schema.type = [schema.type, 'null'].flat()
  if ('const' in schema) {
    schema.enum = [schema.const]
    delete schema.const
  }
  if (Array.isArray(schema.enum)) schema.enum = [...schema.enum, null]
}

/** What zod says of every whole number, time and object. */
const dropDefaults = (schema: Draft, direction: Direction): void => {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  // The format says as much as zod's long pattern for it.
  if (schema.format === 'date-time') delete schema.pattern
  const { additionalProperties: more } = schema
  // Clients have to pass over members that a later version adds to an answer.
  if (more === false && direction === 'response') delete schema.additionalProperties
  else if (typeof more === 'object' && more !== null && Object.keys(more).length === 0)
    schema.additionalProperties = true
}

const isFunction = (schema: z.core.$ZodType): boolean => schema instanceof z.ZodTransform

/** zod shows only the first of two schemas that an input has to satisfy one after the other. */
const addSecond = (schema: z.core.$ZodType, into: Draft, direction: Direction): void => {
  if (!(schema instanceof z.ZodPipe)) return
  const { in: first, out: second } = schema.def
  if (direction === 'response' || isFunction(first) || isFunction(second)) return
  const { items, ...rules }: Draft = convert(second, direction)
  const own = { ...into }
  Object.assign(into, rules, own, items !== undefined && { items })
}

const overrideFor =
  (direction: Direction) =>
  ({ zodSchema, jsonSchema }: Overriding): void => {
    addSecond(zodSchema, jsonSchema, direction)
    dropDefaults(jsonSchema, direction)
    if (jsonSchema.nullable === true) allowNull(jsonSchema)
  }

const optionsFor = (direction: Direction) =>
  ({
    io: direction === 'request' ? 'input' : 'output',
    unrepresentable: 'any',
    override: overrideFor(direction),
  }) as const

const plain = ({ $schema: _, $id: __, '~standard': ___, ...schema }: Draft): JsonSchema => schema

/** A zod schema as JSON Schema. */
export const convert = (schema: z.core.$ZodType, direction: Direction): JsonSchema =>
  plain({ ...z.toJSONSchema(schema, optionsFor(direction)) })

/** Named zod schemas as the components of a document: where one contains another, it refers to it. */
export const convertNamed = (
  named: ReadonlyMap<string, z.ZodType>,
  direction: Direction,
): Record<string, JsonSchema> => {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of named) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { ...optionsFor(direction), uri: referenceTo })
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain({ ...schema })]))
}

export const referenceTo = (name: string): string => `#/components/schemas/${name}`
