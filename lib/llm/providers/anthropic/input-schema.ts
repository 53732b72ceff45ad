import { isObject } from '../../../raw-json.ts'
import { definitionAt } from './schema.ts'

type Schema = Readonly<Record<string, unknown>>

const OBJECT = 'object'
const DEEPEST = 10

/** What a reference at the top of a schema stands for, or the schema itself; undefined where that is nothing. */
const resolved = (schema: Schema): object | undefined => {
  let found: unknown = schema
  for (let depth = 0; depth < DEEPEST && isObject(found) && typeof found.$ref === 'string'; depth++)
    found = found.$ref.startsWith('#') ? definitionAt(schema, found.$ref) : undefined
  return isObject(found) && found.$ref === undefined ? found : undefined
}

/**
 * A schema of a tool's input as Anthropic takes it: one that says at its top that it is an object. OpenAI's may be
 * empty, or refer to a definition.
 */
export const inputSchema = (schema: unknown): object => {
  if (!isObject(schema)) return { type: OBJECT, properties: {} }
  if (schema.type === OBJECT) return schema
  const { $ref: _, ...rest } = schema
  return { ...rest, ...resolved(schema), type: OBJECT }
}
