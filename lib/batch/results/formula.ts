/**
 * The beginning of a text that a spreadsheet takes for a formula, full-width and small forms included, after any
 * invisible characters. Texts that already begin with `'` before that match too, so that escaping can be undone.
 */
const FORMULA =
  /^'*(?:[\t\r\n]|[\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*[=+\-@|%\u2212\uff1d\uff0b\uff0d\uff20\uff5c\uff05\ufe62\ufe63\ufe66\ufe6a\ufe6b])/u

/** The text, with a `'` before it where a spreadsheet could run it as a formula. */
export const guarded = (text: string): string => (FORMULA.test(text) ? `'${text}` : text)

/** Undoes the escaping. */
export const unguarded = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text
