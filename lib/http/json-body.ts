import { GatewayError } from '../errors.ts'
import { readBytes } from './body.ts'

const DEEPEST = 64
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const invalid = (path: string, message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `${path}: ${message}`, { details: [{ path, message }] })

const assertJson = ({ headers }: Request): void => {
  const [type = '', ...parameters] = (headers.get('content-type') ?? '').toLowerCase().split(';')
  if (!/^application\/([\w.-]+\+)?json$/.test(type.trim()))
    throw new GatewayError(
      'UNSUPPORTED_MEDIA_TYPE',
      'Send the body as JSON, with content-type: application/json.',
    )
  const charset = parameters.find(parameter => parameter.trim().startsWith('charset='))
  if (charset && !/charset="?utf-?8"?\s*$/.test(charset))
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'JSON is always UTF-8; send no other charset.')
  const encoding = headers.get('content-encoding')
  if (encoding && encoding !== 'identity')
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'Send the body uncompressed, without content-encoding.')
}

/**
 * Refuses what parses but is only ever sent to do harm.
 * @returns how many fields the value has, at all depths together
 */
const assertHarmless = (value: unknown, depth: number): number => {
  if (typeof value !== 'object' || value === null) return 0
  if (depth > DEEPEST) throw invalid('body', `is nested deeper than ${DEEPEST} levels`)
  if (Object.hasOwn(value, '__proto__')) throw invalid('body', 'holds a field named __proto__')
  const children = Object.values(value)
  const own = Array.isArray(value) ? 0 : children.length
  return children.reduce<number>((fields, child) => fields + assertHarmless(child, depth + 1), own)
}

/** Where the string that begins before `from` ends: the index of its closing quote. */
const endOfString = (json: string, from: number): number => {
  for (let quote = json.indexOf('"', from); ; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return quote
  }
}

/** How many fields valid JSON text writes down: as many as it has colons outside of strings. */
const writtenFields = (json: string): number => {
  let fields = 0
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') at = endOfString(json, at + 1)
    else if (character === ':') fields += 1
  }
  return fields
}

/**
 * The request's body as a JSON value.
 * @throws GatewayError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, or INVALID_INPUT for bytes that are no UTF-8,
 * text that is no JSON, nesting beyond 64 levels, a field named `__proto__`, or one that comes twice.
 */
export const readJson = async (request: Request, maxBytes: number): Promise<unknown> => {
  assertJson(request)
  const bytes = await readBytes(request, maxBytes)
  if (bytes.length === 0) throw invalid('body', 'is empty; send a JSON object')
  let text: string
  try {
    text = strictUtf8.decode(bytes)
  } catch {
    throw invalid('body', `is not valid UTF-8 (${bytes.length} bytes)`)
  }
  const value = parse(text)
  const fields = assertHarmless(value, 0)
  // Readers differ in which of two fields of one name they believe; what stands between them must not choose.
  if (fields < writtenFields(text)) throw invalid('body', 'names a field twice in one object')
  return value
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    // The engine's message quotes the body: only where it stopped may leave.
    const position = /position (\d+)/.exec(String(cause))?.[1]
    throw invalid('body', `is not valid JSON${position ? ` at character ${position}` : ''}`)
  }
}
