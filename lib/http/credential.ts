const BEARER = /^Bearer +(\S+) *$/i

/** The token of an Authorization header; undefined where it has another form. */
export const bearerToken = (authorization: string): string | undefined => BEARER.exec(authorization)?.[1]

/** Headers that hold a key and nothing else; the second is Azure's. */
export const KEY_HEADERS = ['x-api-key', 'api-key'] as const

/**
 * Whether a request carries an explicit credential. The cookie and the address are ambient, and so is Basic
 * authentication, which a browser repeats by itself.
 */
export const carriesCredential = (headers: Headers): boolean => {
  const authorization = headers.get('authorization')
  if (authorization !== null && bearerToken(authorization) !== undefined) return true
  return KEY_HEADERS.some(name => Boolean(headers.get(name)?.trim()))
}
