import type { Token } from '../text/tokens.ts'
import type { Hit } from './match.ts'

/** Characters that are not shown, and letters of other alphabets of Unicode that are read as those of the ASCII one. */
const HIDDEN =
  /\u034f|[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}\u{1d400}-\u{1d7ff}]|[\uff21-\uff3a\uff41-\uff5a]|[a-z](?:[\u0300-\u036f]{2}|\u200c|\u200d)/iu
/** Letters and digits as numbers, or a percent sign that is itself one. A space or a quote is written so in any address. */
const ESCAPED_LETTER =
  /(?:%|\\x|\\u00|\\u\{|&#x0{0,4})(?:3\d|[46][1-9a-f]|[57][\da])|%25|&#0{0,4}(?:4[89]|5[0-7]|6[5-9]|[78]\d|9[07-9]|1[01]\d|12[0-2]);/i
/** `ignorePrevious`: how code writes several words. */
const IDENTIFIER = /^[A-Za-z]?[a-z\d]+(?:[A-Z][a-z\d]*)+$/

/** Whether a match in one reading of a text was written so that readers or filters do not see it. */
export const isDisguised = (
  view: string,
  { start, end }: Hit,
  text: string,
  tokens: readonly Token[],
): boolean => {
  const written = text.slice(start, end)
  if (HIDDEN.test(written)) return true
  switch (view) {
    case 'plain':
      return false
    case 'look-alikes':
      return tokens.some(token => token.latin !== undefined && token.start < end && token.end > start)
    case 'spaced':
      return !IDENTIFIER.test(written)
    case 'escapes':
      return ESCAPED_LETTER.test(written)
    default:
      return true
  }
}
