import { z } from 'zod'
import { type ArgumentPlace, type ArgumentStyle, DefinitionFault, type HttpOperation } from './definition.ts'
import { styleOf } from './styles.ts'

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const
const DEEPEST = 12

type Node = Readonly<Record<string, unknown>>

const node = z.record(z.string(), z.unknown())
const nodeOf = (value: unknown): Node => node.safeParse(value).data ?? {}
const textIn = (value: unknown): string | undefined => z.string().safeParse(value).data

/** Headers that are the gateway's own, whatever a document says. Source: OpenAPI Specification 3.1.1, Parameter Object. */
const OWN_HEADERS =
  /^(?:accept|authorization|connection|content-.*|cookie|host|transfer-encoding|x-api-key)$/i

const parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header', 'cookie']),
  required: z.boolean().optional(),
  description: z.string().optional(),
  schema: z.unknown().optional(),
  style: z.string().optional(),
  explode: z.boolean().optional(),
  content: node.optional(),
})

/** What a reference within the document points to. */
const target = (reference: string, document: Node): unknown => {
  if (!reference.startsWith('#/')) throw new DefinitionFault('refers to another document')
  return reference
    .slice(2)
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (value, key) => (Object.hasOwn(nodeOf(value), key) ? nodeOf(value)[key] : undefined),
      document,
    )
}

/** A value with everything that it refers to in place of the references. */
const resolved = (value: unknown, document: Node, depth = 0): unknown => {
  if (depth > DEEPEST) throw new DefinitionFault('has a schema that refers to itself or is too deep')
  if (Array.isArray(value)) return value.map(one => resolved(one, document, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  const { $ref: reference, ...own } = nodeOf(value)
  if (typeof reference === 'string') return resolved(target(reference, document), document, depth + 1)
  return Object.fromEntries(
    Object.entries(own).map(([name, one]) => [name, resolved(one, document, depth + 1)]),
  )
}

type Found = Readonly<{ path: string; method: string; operation: Node; shared: unknown }>

const find = (document: Node, id: string): Found => {
  for (const [path, item] of Object.entries(nodeOf(document.paths)))
    for (const method of METHODS) {
      const operation = nodeOf(nodeOf(item)[method])
      const isNamed = operation.operationId === id || `${method.toUpperCase()} ${path}` === id
      if (isNamed) return { path, method, operation, shared: nodeOf(item).parameters }
    }
  throw new DefinitionFault('has no such operation')
}

/** The schema of a JSON body; absent where there is none. */
const bodyOf = (
  operation: Node,
  document: Node,
): Readonly<{ schema: Node; required: boolean }> | undefined => {
  if (operation.requestBody === undefined) return undefined
  const body = nodeOf(resolved(operation.requestBody, document))
  const schema = nodeOf(nodeOf(body.content)['application/json']).schema
  if (schema === undefined) throw new DefinitionFault('takes a body of another type than application/json')
  return { schema: nodeOf(schema), required: body.required === true }
}

type Arguments = {
  properties: Record<string, unknown>
  required: string[]
  places: Record<string, ArgumentPlace>
  styles: Record<string, ArgumentStyle>
}

/** The schema of a parameter that has a content in place of one. */
const schemaOfContent = (content: Node): unknown => {
  const json = nodeOf(content)['application/json']
  if (json === undefined) throw new DefinitionFault('has a parameter of another type than application/json')
  return nodeOf(json).schema
}

const addParameters = ({ operation, shared }: Found, document: Node, into: Arguments): void => {
  for (const one of [shared ?? [], operation.parameters ?? []].flat()) {
    const parsed = parameter.safeParse(resolved(one, document))
    if (!parsed.success) throw new DefinitionFault('has a parameter without a name or a place')
    const { name, in: place, required, description, content } = parsed.data
    if (place === 'cookie' || (place === 'header' && OWN_HEADERS.test(name))) continue
    const schema = content ? schemaOfContent(content) : parsed.data.schema
    if (schema === undefined) throw new DefinitionFault(`has a parameter ${name} without a schema`)
    into.styles[name] = content ? { name: 'json', explode: false } : styleOf(place, parsed.data)
    into.properties[name] = { ...nodeOf(schema), ...(description !== undefined && { description }) }
    into.places[name] = place
    if ((required || place === 'path') && !into.required.includes(name)) into.required.push(name)
  }
}

const BODY = 'body'

/** @returns the argument that is the whole body, where its members cannot be arguments by themselves */
const addBody = ({ operation }: Found, document: Node, into: Arguments): string | undefined => {
  const body = bodyOf(operation, document)
  if (!body) return undefined
  const properties = nodeOf(body.schema.properties)
  const names = Object.keys(properties)
  if (names.length === 0 || names.some(name => Object.hasOwn(into.properties, name))) {
    into.properties[BODY] = body.schema
    into.places[BODY] = 'body'
    if (body.required) into.required.push(BODY)
    return BODY
  }
  for (const name of names) {
    into.properties[name] = properties[name]
    into.places[name] = 'body'
  }
  const required = z.array(z.string()).safeParse(body.schema.required).data ?? []
  into.required.push(...required.filter(name => names.includes(name)))
  return undefined
}

/**
 * One operation of an OpenAPI 3 document, by its `operationId` or as `GET /path`. Throws DefinitionFault.
 *
 * @param baseUrl in place of the document's first server
 */
export const openApiOperation = (
  document: unknown,
  id: string,
  baseUrl: string | undefined,
): HttpOperation => {
  const root = nodeOf(document)
  const found = find(root, id)
  const server = baseUrl ?? textIn(nodeOf(z.array(z.unknown()).safeParse(root.servers).data?.[0]).url)
  if (server === undefined || !/^https?:\/\//.test(server))
    throw new DefinitionFault('names no server with an http address; set baseUrl')
  const all: Arguments = { properties: {}, required: [], places: {}, styles: {} }
  addParameters(found, root, all)
  const wholeBody = addBody(found, root, all)
  const { operation, method, path } = found
  return {
    method: method.toUpperCase(),
    url: server.replace(/\/+$/, '') + path,
    description: textIn(operation.description) ?? textIn(operation.summary),
    parameters: {
      type: 'object',
      properties: all.properties,
      required: all.required,
      additionalProperties: false,
    },
    places: all.places,
    styles: all.styles,
    ...(wholeBody !== undefined && { wholeBody }),
  }
}
