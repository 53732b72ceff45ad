import { type ServiceRequest, ToolFailure } from '../types.ts'
import type { ArgumentPlace, HttpOperation } from './definition.ts'

const PLACEHOLDER = /\{([^{}]*)\}/g
const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'DELETE'])

/** The names of the arguments in a URL. */
export const argumentsIn = (url: string): readonly string[] =>
  [...url.matchAll(PLACEHOLDER)].map(([, name = '']) => name)

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** An argument as one segment of a path, or as a part of it, which it must not leave. */
const encoded = (value: unknown): string => {
  const text = textOf(value)
  if (text === '' || text === '.' || text === '..')
    throw new ToolFailure('arguments', 'An argument in the path of the address must not be empty or dots.')
  return encodeURIComponent(text.toWellFormed())
}

const filled = (template: string, input: Readonly<Record<string, unknown>>): URL => {
  const [path = '', query = ''] = template.split(/\?(.*)/s, 2)
  const url = new URL(path.replaceAll(PLACEHOLDER, (_, name: string) => encoded(input[name] ?? '')))
  for (const [name, value] of new URLSearchParams(query)) {
    const [argument] = argumentsIn(value)
    // An optional argument that is absent takes its parameter with it.
    if (argument !== undefined && input[argument] === undefined) continue
    url.searchParams.append(
      name,
      value.replaceAll(PLACEHOLDER, (_, one: string) => textOf(input[one] ?? '')),
    )
  }
  return url
}

const placeOf = (name: string, { places, method }: HttpOperation): ArgumentPlace =>
  places[name] ?? (WITHOUT_BODY.has(method) ? 'query' : 'body')

/** Header values have no line ends, and no characters beyond Latin-1. */
const headerValue = (value: unknown): string => textOf(value).replaceAll(/[^\x20-\x7e\xa0-\xff]/g, ' ')

/** The request of an operation with these arguments. Throws a ToolFailure for arguments that have no place in it. */
export const requestOf = (
  operation: HttpOperation,
  input: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
): ServiceRequest => {
  const url = filled(operation.url, input)
  const inUrl = new Set(argumentsIn(operation.url))
  const sent: Record<string, string> = {}
  const body: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(input)) {
    if (inUrl.has(name) || value === undefined) continue
    const place = placeOf(name, operation)
    if (place === 'header') sent[name.toLowerCase()] = headerValue(value)
    else if (place === 'body') body[name] = value
    else for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, textOf(one))
  }
  const { method, wholeBody } = operation
  const content = wholeBody === undefined ? body : body[wholeBody]
  if (WITHOUT_BODY.has(method) || content === undefined)
    return { method, url, headers: { ...sent, ...headers } }
  return {
    method,
    url,
    headers: { 'content-type': 'application/json', ...sent, ...headers },
    body: JSON.stringify(content),
  }
}
