/**
 * Strips what Windows, web pages and `docker --env-file` add around a value: white space, and one matching pair of
 * quotes.
 */
export const cleanValue = (value: string): string => {
  const trimmed = value.trim()
  const quoted = /^(["'])(.*)\1$/s.exec(trimmed)
  return quoted ? (quoted[2] ?? '').trim() : trimmed
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u2800\u3164\u115f\u1160\uffa0]/u
const TYPOGRAPHIC_QUOTES = /[\u2018-\u201f\u00ab\u00bb\u2039\u203a]/u

const codePoint = (character: string): string =>
  `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`

/**
 * Reports line breaks, invisible characters and typographic quotes in a value; undefined where there are none. Does not
 * repeat the value.
 */
export const invisibleCharacterIssue = (value: string): string | undefined => {
  if (/[\r\n]/.test(value)) return 'must be one line'
  const [invisible] = INVISIBLE.exec(value) ?? []
  if (invisible !== undefined)
    return `holds an invisible character (${codePoint(invisible)}); type it again, or copy it from another place`
  return TYPOGRAPHIC_QUOTES.test(value) ? 'holds typographic quotes (“ ”); remove them' : undefined
}

/** A value as it may be shown: one line, no credentials, no query, which may hold some. */
export const shownValue = (value: string, longest: number): string =>
  value
    .replace(/^([a-z][\w+.-]*:\/\/)?[^\s]*@/i, '$1***@')
    .replace(/([?#]).*$/s, '$1…')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, codePoint)
    .slice(0, longest)
