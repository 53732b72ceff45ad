const MARKS = /\p{M}+/gu

const cache = new Map<string, string>()
const MOST_CACHED = 8192

const folded = (character: string): string =>
  character
    .normalize('NFKD')
    .replace(MARKS, '')
    .normalize('NFC')
    .toLowerCase()
    .normalize('NFKD')
    .replace(MARKS, '')
    .normalize('NFC')

/**
 * A character (or a surrogate pair) as it is compared: compatibility forms resolved (NFKC), without diacritics, in lower
 * case. It may become several characters or none.
 */
export const foldCharacter = (character: string): string => {
  const code = character.charCodeAt(0)
  if (code < 128) return code >= 65 && code <= 90 ? String.fromCharCode(code + 32) : character
  const known = cache.get(character)
  if (known !== undefined) return known
  if (cache.size >= MOST_CACHED) cache.clear()
  const value = folded(character)
  cache.set(character, value)
  return value
}
