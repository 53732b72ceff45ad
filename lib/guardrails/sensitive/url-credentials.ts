import { codeAt, runEnd } from '../scan/characters.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'

const MOST_USER = 64
const MOST_PASSWORD = 128
const SLASH = 47
const COLON = 58
const AT = 64

/** Any but white space and one of `/ : @ " ' < >` and the backquote. */
const isPart = (code: number): boolean =>
  code > 32 &&
  code !== SLASH &&
  code !== COLON &&
  code !== AT &&
  code !== 34 &&
  code !== 39 &&
  code !== 60 &&
  code !== 62 &&
  code !== 96

/** `${PASSWORD}`, `<password>` and `***` are places for a password. */
const PLACEHOLDER = /^(?:\$\{?\w+\}?|\*+|x+|\{+\w+\}+|\[\w+\]|%\w+%|password|pass|pwd)$/i

const at = (text: string, start: number, isLast: boolean): Outcome => {
  if (
    codeAt(text, start - 1) !== SLASH ||
    codeAt(text, start - 2) !== SLASH ||
    codeAt(text, start - 3) !== COLON
  )
    return undefined
  const user = runEnd(text, start, MOST_USER, isPart)
  if (user >= text.length && !isLast && user - start < MOST_USER) return OPEN
  if (codeAt(text, user) !== COLON) return undefined
  const password = runEnd(text, user + 1, MOST_PASSWORD, isPart)
  if (password >= text.length && !isLast && password - user - 1 < MOST_PASSWORD) return OPEN
  if (codeAt(text, password) !== AT || password === user + 1) return undefined
  if (PLACEHOLDER.test(text.slice(user + 1, password))) return undefined
  return { end: password, kind: 'secret', rule: 'url-credentials', score: 0.95 }
}

/** User and password of a URL or connection string (RFC 3986, userinfo), without the `@` after them. */
export const urlCredentials: Detector = {
  name: 'url-credentials',
  longest: MOST_USER + 1 + MOST_PASSWORD + 1,
  starts: code => isPart(code) || code === COLON,
  atWordStart: false,
  signs: ['://', '@'],
  at,
}
