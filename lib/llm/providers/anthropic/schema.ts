import { isObject } from '../../../raw-json.ts'

type Schema = Readonly<Record<string, unknown>>

/** Keywords that Anthropic takes as they are. */
const TAKEN = [
  '$schema',
  '$id',
  'title',
  'description',
  'default',
  'const',
  'enum',
  'type',
  'required',
] as const

const FORMATS: ReadonlySet<unknown> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
])

/** Keywords that it refuses: they become part of the description. */
const CONSTRAINTS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'not',
] as const

/** Beyond these Anthropic refuses a schema, or takes too long to compile it. */
const MOST_OPTIONAL = 10
const MOST_SCHEMAS = 2_000
const DEEPEST = 30

/** The schema cannot be expressed as Anthropic takes it. */
class Inexpressible extends Error {}

/** What a reference within a schema names; undefined where nothing is there. @param pointer such as `#/$defs/Node` */
export const definitionAt = (root: Schema, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map(step => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (found, step) => (isObject(found) && Object.hasOwn(found, step) ? found[step] : undefined),
      root,
    )

const isOpen = ({ type, properties, additionalProperties, patternProperties }: Schema): boolean => {
  if (additionalProperties === true || isObject(additionalProperties)) return true
  if (isObject(patternProperties) && Object.keys(patternProperties).length > 0) return true
  const isObjectType = type === 'object' || (Array.isArray(type) && type.includes('object'))
  return isObjectType && properties === undefined && additionalProperties !== false
}

const withConstraints = (schema: Schema): string | undefined => {
  const words = CONSTRAINTS.filter(name => schema[name] !== undefined && schema[name] !== false).map(
    name => `${name}: ${JSON.stringify(schema[name])}`,
  )
  if (schema.format !== undefined && !FORMATS.has(schema.format))
    words.push(`format: ${String(schema.format)}`)
  const { description } = schema
  const sentences = [
    ...(typeof description === 'string' ? [description] : []),
    ...(words.length > 0 ? [words.join('; ')] : []),
  ]
  return sentences.length > 0 ? sentences.join('\n') : undefined
}

/** Rewrites one schema, and counts what Anthropic limits. */
class Rewriting {
  readonly #root: Schema
  /** The references that are being followed, each for its own definition. */
  readonly #following = new Set<string>()
  readonly #followed = new Set<string>()
  #schemas = 0
  #optional = 0

  constructor(root: Schema) {
    this.#root = root
  }

  rewritten(value: unknown, depth = 0): unknown {
    if (!isObject(value)) return value
    this.#schemas += 1
    if (this.#schemas > MOST_SCHEMAS || depth > DEEPEST || isOpen(value)) throw new Inexpressible()
    if (typeof value.$ref === 'string') {
      this.#follow(value.$ref, depth)
      return { $ref: value.$ref, ...this.#definitionsOf(value, depth) }
    }
    const found: Record<string, unknown> = {}
    for (const name of TAKEN) if (value[name] !== undefined) found[name] = value[name]
    const description = withConstraints(value)
    if (description !== undefined) found.description = description
    if (FORMATS.has(value.format)) found.format = value.format
    const all = (list: unknown) =>
      Array.isArray(list) ? list.map(one => this.rewritten(one, depth + 1)) : list
    const choices = value.anyOf ?? value.oneOf
    if (choices !== undefined) found.anyOf = all(choices)
    if (value.allOf !== undefined) found.allOf = all(value.allOf)
    if (value.items !== undefined)
      found.items = Array.isArray(value.items) ? all(value.items) : this.rewritten(value.items, depth + 1)
    return { ...found, ...this.#definitionsOf(value, depth), ...this.#objectOf(value, depth) }
  }

  #objectOf({ properties, required, additionalProperties }: Schema, depth: number): Schema {
    if (!isObject(properties)) return additionalProperties === undefined ? {} : { additionalProperties }
    const needed = new Set(Array.isArray(required) ? required : [])
    // The members of a definition count where it stands, not wherever it is referred to.
    if (this.#following.size === 0)
      this.#optional += Object.keys(properties).filter(name => !needed.has(name)).length
    if (this.#optional > MOST_OPTIONAL) throw new Inexpressible()
    return { properties: this.#each(properties, depth), additionalProperties: false }
  }

  #definitionsOf({ $defs, definitions }: Schema, depth: number): Schema {
    return {
      ...(isObject($defs) && { $defs: this.#each($defs, depth) }),
      ...(isObject(definitions) && { definitions: this.#each(definitions, depth) }),
    }
  }

  #each(schemas: Schema, depth: number): Schema {
    return Object.fromEntries(
      Object.entries(schemas).map(([name, one]) => [name, this.rewritten(one, depth + 1)]),
    )
  }

  /** A schema that refers to itself is refused, and one that refers to what is not there. */
  #follow(pointer: string, depth: number): void {
    if (this.#following.has(pointer)) throw new Inexpressible()
    if (this.#followed.has(pointer)) return
    const definition = pointer.startsWith('#') ? definitionAt(this.#root, pointer) : undefined
    if (!isObject(definition)) throw new Inexpressible()
    this.#following.add(pointer)
    this.rewritten(definition, depth + 1)
    this.#following.delete(pointer)
    this.#followed.add(pointer)
  }
}

const rewrittenOrNone = (schema: Schema): Schema | undefined => {
  try {
    return new Rewriting(schema).rewritten(schema) as Schema
  } catch (thrown) {
    if (thrown instanceof Inexpressible || thrown instanceof URIError) return undefined
    throw thrown
  }
}

/** A call's schema is asked for several times. */
const known = new WeakMap<object, Schema | undefined>()

/**
 * A JSON schema in the part of the language that Anthropic takes for answers; undefined where it cannot be expressed in
 * that: it refers to itself, has objects of any members, or too many members that may be absent. Objects are closed, and
 * limits of values become part of the description, as in `@ai-sdk/anthropic` 4.0.105.
 */
export const answerSchema = (schema: unknown): Schema | undefined => {
  if (!isObject(schema)) return undefined
  if (!known.has(schema)) known.set(schema, rewrittenOrNone(schema))
  return known.get(schema)
}
