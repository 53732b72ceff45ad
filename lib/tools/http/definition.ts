import type { ArgumentsSchema, ServiceRate } from '../types.ts'

/** An HTTP service that an operator makes a tool of, as the configuration file describes it. */
export type HttpToolDefinition = Readonly<{
  name: string
  description?: string | undefined
  method?: string | undefined
  /** The URL, with `{arguments}` in its path and query. */
  url?: string | undefined
  /** JSON Schema of its arguments. */
  parameters?: ArgumentsSchema | undefined
  /** An operation of an OpenAPI document in place of them. */
  openapi?: Readonly<{ file: string; operation: string; baseUrl?: string | undefined }> | undefined
  /** `${VARIABLE}` stands for an environment variable. */
  headers?: Readonly<Record<string, string>> | undefined
  attribution?: string | undefined
  cacheSeconds?: number | undefined
  staleIfErrorSeconds?: number | undefined
  timeoutMs?: number | undefined
  maxBytes?: number | undefined
  rate?: ServiceRate | undefined
}>

/** Where an argument goes. */
export type ArgumentPlace = 'path' | 'query' | 'header' | 'body'

/** The styles of OpenAPI. */
export type StyleName =
  | 'simple'
  | 'label'
  | 'matrix'
  | 'form'
  | 'spaceDelimited'
  | 'pipeDelimited'
  | 'deepObject'

/** How an argument is written. `json`: one JSON text, as a parameter with a `content` is. */
export type ArgumentStyle = Readonly<{ name: StyleName | 'json'; explode: boolean }>

/** A request as its arguments shape it. */
export type HttpOperation = Readonly<{
  method: string
  /** The URL, with `{arguments}` in its path and query. */
  url: string
  description?: string | undefined
  parameters: ArgumentsSchema
  /** Where arguments go; those without an entry that are not in the URL go into the body, or else into the query. */
  places: Readonly<Record<string, ArgumentPlace>>
  /** How arguments are written, where a document says so. */
  styles?: Readonly<Record<string, ArgumentStyle>> | undefined
  /** The argument that is the whole body. */
  wholeBody?: string | undefined
}>

/** A fault of a definition: what is wrong with it. */
export class DefinitionFault extends Error {
  override readonly name = 'DefinitionFault'
}
