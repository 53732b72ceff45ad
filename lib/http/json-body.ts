import { GatewayError } from '../errors.ts'
import { jsonInTurnsOrThrow } from '../validation/json.ts'
import { readBytes } from './body.ts'

/** It ignores a byte order mark, as RFC 8259, 8.1 permits. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

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
 * The request's body as a JSON value.
 * @throws GatewayError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, or INVALID_INPUT for invalid UTF-8 or JSON, nesting
 * beyond 64 levels, a field named `__proto__`, or a repeated one.
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
  return jsonInTurnsOrThrow(text)
}
