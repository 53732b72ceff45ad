import { codeAt, isAlphanumeric, isSpace, runEnd } from '../scan/characters.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'

const DASHES = '-----'
const OPENING = '-----BEGIN '
const LABEL = /^-----BEGIN ((?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?)-----/
const MOST_LABEL = 64
/** An RSA key of 8,192 bits takes 6,500 characters. */
const MOST_BODY = 8192

/** Base64, line ends, and the headers of an encrypted key. */
const isBody = (code: number): boolean =>
  isAlphanumeric(code) ||
  isSpace(code) ||
  code === 43 ||
  code === 47 ||
  code === 61 ||
  code === 58 ||
  code === 44 ||
  code === 46

/** The end of the closing line, where there is one after the body; a lone hyphen belongs to a header (`DEK-Info`). */
const closingEnd = (text: string, from: number, label: string): number => {
  const closing = `-----END ${label}-----`
  return text.startsWith(closing, from) ? from + closing.length : from
}

const bodyEndOf = (text: string, from: number): number => {
  let end = from
  for (;;) {
    end = runEnd(text, end, from + MOST_BODY - end, isBody)
    const isLoneHyphen =
      codeAt(text, end) === 45 && !text.startsWith(DASHES, end) && end + DASHES.length <= text.length
    if (!isLoneHyphen || end - from >= MOST_BODY) return end
    end += 1
  }
}

const at = (text: string, start: number, isLast: boolean): Outcome => {
  const head = text.slice(start, start + OPENING.length)
  if (!OPENING.startsWith(head)) return undefined
  const label = LABEL.exec(text.slice(start, start + MOST_LABEL))?.[1]
  if (label === undefined) return text.length - start < MOST_LABEL && !isLast ? OPEN : undefined
  const from = start + OPENING.length + label.length + DASHES.length
  const body = bodyEndOf(text, from)
  const needed = body + DASHES.length + 5 + label.length + DASHES.length
  if (needed > text.length && body - from < MOST_BODY && !isLast && isClosingOpen(text, body, label))
    return OPEN
  const end = closingEnd(text, body, label)
  if (end === body && body - from < 16) return undefined
  return { end, kind: 'private-key', rule: 'private-key-pem', score: 1 }
}

function isClosingOpen(text: string, from: number, label: string): boolean {
  const rest = text.slice(from)
  return `-----END ${label}-----`.startsWith(rest) || (rest.startsWith('-') && rest.length < DASHES.length)
}

/** Private keys in PEM (RFC 7468), OpenSSH and PGP armour, cut-off ones too. */
export const privateKey: Detector = {
  name: 'private-key',
  longest: MOST_LABEL + MOST_BODY + MOST_LABEL,
  starts: code => code === 45,
  atWordStart: false,
  signs: [OPENING],
  at,
}
