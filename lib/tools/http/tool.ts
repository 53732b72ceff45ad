import { hash } from 'node:crypto'
import { z } from 'zod'
import { CACHE_KIND_SECONDS } from '../../cache-kinds.ts'
import { assertSuccess } from '../service-answer.ts'
import {
  type ArgumentsSchema,
  type ServiceAnswer,
  type ServiceFetch,
  type Tool,
  ToolFailure,
} from '../types.ts'
import { DefinitionFault, type HttpOperation, type HttpToolDefinition } from './definition.ts'
import { openApiOperation } from './openapi.ts'
import { argumentsIn, requestOf } from './request.ts'

/** What a definition refers to. */
export type DefinitionSources = Readonly<{
  /** The value of an environment variable. */
  variable: (name: string) => string | undefined
  /** A parsed OpenAPI document. Throws where it cannot be read. */
  document: (file: string) => unknown
}>

const MS = 1_000
const MOST_BYTES = 65_536
const RATE = { limit: 10, windowMs: 1_000 }
const VARIABLE = /\$\{([A-Za-z_]\w*)\}/g

const NO_ARGUMENTS: ArgumentsSchema = { type: 'object', properties: {}, additionalProperties: false }

const ofTemplate = ({
  url,
  method = 'GET',
  parameters = NO_ARGUMENTS,
}: HttpToolDefinition): HttpOperation => {
  if (url === undefined) throw new DefinitionFault('needs a url or an openapi operation')
  return { method, url, parameters: { additionalProperties: false, ...parameters }, places: {} }
}

const operationOf = (definition: HttpToolDefinition, { document }: DefinitionSources): HttpOperation => {
  const { openapi, url } = definition
  if (!openapi) return ofTemplate(definition)
  if (url !== undefined) throw new DefinitionFault('has both a url and an openapi operation')
  return openApiOperation(document(openapi.file), openapi.operation, openapi.baseUrl)
}

const schemaOf = (parameters: ArgumentsSchema): z.ZodType => {
  if (parameters.type !== 'object') throw new DefinitionFault('needs parameters of the type object')
  try {
    return z.fromJSONSchema(parameters as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    throw new DefinitionFault(
      'has parameters that are no JSON Schema, or use a part of it that is not supported',
    )
  }
}

/** The address of a template stays that of the operator: arguments belong into its path and its query. */
const assertAddress = ({ url, parameters }: HttpOperation): void => {
  const [authority = ''] = url.replace(/^https?:\/\//, '').split(/[/?#]/)
  if (!/^https?:\/\//.test(url) || !URL.canParse(url.replaceAll(/[{}]/g, '')))
    throw new DefinitionFault('needs an http:// or https:// address')
  if (/[{}@]/.test(authority)) throw new DefinitionFault('must have no argument and no password in its host')
  const known = Object.keys((parameters.properties ?? {}) as object)
  const unknown = argumentsIn(url).find(name => !known.includes(name))
  if (unknown !== undefined) throw new DefinitionFault(`has no parameter for {${unknown}} of its address`)
}

const headersOf = (
  { headers = {} }: HttpToolDefinition,
  { variable }: DefinitionSources,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      value.replaceAll(VARIABLE, (_, reference: string) => {
        const found = variable(reference)
        if (found === undefined)
          throw new DefinitionFault(`needs the variable ${reference}, which is not set`)
        return found
      }),
    ]),
  )

const isText = (mediaType: string): boolean =>
  mediaType === '' || mediaType.startsWith('text/') || /[/+](?:json|xml)$/.test(mediaType)

/** The JSON of an answer, or its text; a cut answer is a text. */
const dataOf = (answer: ServiceAnswer): unknown => {
  assertSuccess(answer)
  const { text, mediaType, isCut } = answer
  if (!isText(mediaType))
    throw new ToolFailure('malformed', 'The service answered with something other than text.')
  if (isCut) return { text, truncated: true }
  try {
    return JSON.parse(text)
  } catch {
    if (/[/+]json$/.test(mediaType))
      throw new ToolFailure('malformed', 'The service declared JSON and answered with something else.')
    return { text }
  }
}

/**
 * An operator's HTTP service as a tool. Only what a GET brings is kept and shared; every other method is sent each time.
 *
 * @throws DefinitionFault
 */
export const httpTool = (definition: HttpToolDefinition, sources: DefinitionSources): Tool => {
  const { name, cacheSeconds, staleIfErrorSeconds, timeoutMs, maxBytes, rate, attribution } = definition
  const operation = operationOf(definition, sources)
  assertAddress(operation)
  const schema = schemaOf(operation.parameters)
  const headers = headersOf(definition, sources)
  const isRead = operation.method === 'GET'
  const description = definition.description ?? operation.description
  if (description === undefined) throw new DefinitionFault('needs a description')
  const ask = async (input: unknown, fetch: ServiceFetch) =>
    dataOf(await fetch(requestOf(operation, input as Readonly<Record<string, unknown>>, headers)))
  return {
    name,
    description,
    schema,
    parameters: operation.parameters,
    lifeMs: isRead ? (cacheSeconds ?? CACHE_KIND_SECONDS['tool-result']) * MS : 0,
    staleMs: isRead ? (staleIfErrorSeconds ?? 0) * MS : 0,
    services: [{ name: `http:${name}`, attribution, rate: rate ?? RATE, ask }],
    version: hash('sha256', JSON.stringify([operation, headers]), 'base64url'),
    timeoutMs,
    mostBytes: maxBytes ?? MOST_BYTES,
  }
}
