import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { ApiDocument, DocumentOperation } from '#lib/http/openapi/document.ts'

type Schema = { [keyword: string]: unknown }

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A schema without room for members that it does not name, where the document leaves it open. */
const closed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(closed)
  if (!isSchema(value)) return value
  const inner = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, closed(one)]))
  const isOpen = isSchema(value.properties) && value.additionalProperties === undefined
  return isOpen && value.type === 'object' ? { ...inner, additionalProperties: false } : inner
}

/** One method of one path. */
export type Documented = Readonly<{ method: string; path: string; operation: DocumentOperation }>

export const operationsIn = (document: ApiDocument): readonly Documented[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )

/** Checks values against the schemas of a document. A member that no schema names is a fault. */
export class Schemas {
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true })

  constructor(document: ApiDocument) {
    addFormats.default(this.#ajv)
    const schemas = closed(document.components.schemas)
    this.#ajv.addSchema({ $id: 'api', components: { schemas } })
  }

  /** What is wrong with a value; nothing where it is valid. */
  faultsOf(schema: unknown, value: unknown): readonly string[] {
    const validate = this.#validatorOf(schema)
    if (validate(value)) return []
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    )
  }

  #validatorOf(schema: unknown): ValidateFunction {
    const text = JSON.stringify(closed(schema)).replaceAll('"#/', '"api#/')
    return this.#ajv.compile(JSON.parse(text))
  }
}
