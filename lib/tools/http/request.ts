import { type ServiceRequest, ToolFailure } from '../types.ts'
import type { ArgumentPlace, ArgumentStyle, HttpOperation } from './definition.ts'
import { inHeader, inPath, inQuery, textOf } from './styles.ts'

const PLACEHOLDER = /\{([^{}]*)\}/g
const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'DELETE'])

/** The names of the arguments in a URL. */
export const argumentsIn = (url: string): readonly string[] =>
  [...url.matchAll(PLACEHOLDER)].map(([, name = '']) => name)

const SIMPLE: ArgumentStyle = { name: 'simple', explode: false }

/** An argument as one segment of a path, or as a part of it, which it must not leave. */
const segmentOf = (text: string): string => {
  if (text === '' || text === '.' || text === '..')
    throw new ToolFailure('arguments', 'An argument in the path of the address must not be empty or dots.')
  return text
}

type Input = Readonly<Record<string, unknown>>

const filled = ({ url: template, styles }: HttpOperation, input: Input): URL => {
  const [path = '', query = ''] = template.split(/\?(.*)/s, 2)
  const segment = (name: string): string => {
    const [value, style] = [input[name] ?? '', styles?.[name]]
    return segmentOf(style ? inPath(name, value, style) : inPath(name, textOf(value), SIMPLE))
  }
  const url = new URL(path.replaceAll(PLACEHOLDER, (_, name: string) => segment(name)))
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

/** An argument as pairs of a query: without a style each element of a list stands alone. */
const pairsOf = (name: string, value: unknown, style: ArgumentStyle | undefined): readonly string[] =>
  style
    ? inQuery(name, value, style)
    : [value].flat().map(one => new URLSearchParams([[name, textOf(one)]]).toString())

/** Search parameters would encode the commas and bars of lists. */
const addToQuery = (url: URL, pairs: readonly string[]): void => {
  if (pairs.length > 0) url.search = [url.search.slice(1), ...pairs].filter(part => part !== '').join('&')
}

const placeOf = (name: string, { places, method }: HttpOperation): ArgumentPlace =>
  places[name] ?? (WITHOUT_BODY.has(method) ? 'query' : 'body')

/** Header values have no line ends, and no characters beyond Latin-1. */
const headerValue = (value: unknown, style: ArgumentStyle | undefined): string =>
  (style ? inHeader(value, style) : textOf(value)).replaceAll(/[^\x20-\x7e\xa0-\xff]/g, ' ')

/** The request of an operation with these arguments. Throws a ToolFailure for arguments that have no place in it. */
export const requestOf = (
  operation: HttpOperation,
  input: Input,
  headers: Readonly<Record<string, string>>,
): ServiceRequest => {
  const url = filled(operation, input)
  const inUrl = new Set(argumentsIn(operation.url))
  const sent: Record<string, string> = {}
  const body: Record<string, unknown> = {}
  const pairs: string[] = []
  for (const [name, value] of Object.entries(input)) {
    if (inUrl.has(name) || value === undefined) continue
    const place = placeOf(name, operation)
    const style = operation.styles?.[name]
    if (place === 'header') sent[name.toLowerCase()] = headerValue(value, style)
    else if (place === 'body') body[name] = value
    else pairs.push(...pairsOf(name, value, style))
  }
  addToQuery(url, pairs)
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
