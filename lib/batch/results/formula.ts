/**
 * What a spreadsheet takes for the beginning of a formula, full-width and small forms included, behind whatever does not show. Texts
 * that begin with `'` before that belong to it, so that what was guarded can be told from what was written so.
 */
const FORMULA =
  /^'*(?:[\t\r\n]|[\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*[=+\-@|%\u2212\uff1d\uff0b\uff0d\uff20\uff5c\uff05\ufe62\ufe63\ufe66\ufe6a\ufe6b])/u

/** A text that no spreadsheet runs as a formula: with a `'` before it where it might. */
export const guarded = (text: string): string => (FORMULA.test(text) ? `'${text}` : text)

/** The text that was guarded. */
export const unguarded = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text
