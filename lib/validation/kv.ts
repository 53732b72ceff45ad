import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { pageCursor, pageLimit } from './page.ts'
import { pathEnd } from './path-end.ts'

const KEY = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/
const KEY_RULE = 'must have 1 to 128 of A-Z a-z 0-9 . _ ~ - and not be . or ..'
const MOST_KEYS = 1_000

/**
 * The key in a request's path, percent-encoded or not. It is decoded once, so that no encoding of another character
 * passes. @throws GatewayError INVALID_INPUT
 */
export const kvKeyOf = (request: Pick<Request, 'url'>): string => {
  const key = pathEnd(request, '/api/kv/')
  if (KEY.test(key)) return key
  throw new GatewayError('INVALID_INPUT', `key: ${KEY_RULE}`, {
    details: [{ path: 'key', message: KEY_RULE }],
  })
}

const isCursor = (value: string): boolean => {
  const key = Buffer.from(value, 'base64url').toString()
  return KEY.test(key) && cursorOfKey(key) === value
}

/** The cursor of the page after a key. */
export const cursorOfKey = (key: string): string => Buffer.from(key).toString('base64url')

const keyOfCursor = z
  .string()
  .refine(isCursor, 'is not a cursor of this API')
  .transform(value => Buffer.from(value, 'base64url').toString())
const cursor = pageCursor(keyOfCursor)
const limit = pageLimit(MOST_KEYS, 'Keys')

/** The query of `GET /api/kv`. */
export const kvQuery = z.strictObject({ limit, cursor })
