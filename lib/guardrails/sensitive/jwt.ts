import { codeAt, isWord, oneOf, runEnd } from '../scan/characters.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'

const MOST_PART = 1024
const SHORTEST_PART = 10
const DOT = 46

const isPart = oneOf(/[\w-]/)
/** What base64url makes of `{"`: a JSON object. */
const OBJECT = 'eyJ'

const at = (text: string, start: number, isLast: boolean): Outcome => {
  let from = start
  for (let part = 0; part < 3; part += 1) {
    const end = runEnd(text, from, MOST_PART, isPart)
    if (end >= text.length && !isLast && end - from < MOST_PART) return OPEN
    const isObject = part === 2 || text.startsWith(OBJECT, from)
    if (end - from < SHORTEST_PART || end - from >= MOST_PART || !isObject) return undefined
    if (part === 2)
      return isWord(codeAt(text, end)) ? undefined : { end, kind: 'secret', rule: 'jwt', score: 0.9 }
    if (codeAt(text, end) !== DOT) return undefined
    from = end + 1
  }
  return undefined
}

/** Signed JSON web tokens (RFC 7519). */
export const jwt: Detector = {
  name: 'jwt',
  longest: 3 * MOST_PART + 3,
  starts: code => code === OBJECT.charCodeAt(0),
  atWordStart: true,
  signs: [OBJECT],
  at: (text, start, isLast) => {
    if (text.startsWith(OBJECT, start)) return at(text, start, isLast)
    return !isLast && text.length - start < OBJECT.length && OBJECT.startsWith(text.slice(start))
      ? OPEN
      : undefined
  },
}
