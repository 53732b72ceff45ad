/** Code units of the characters that JSON is made of. */
export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const BACKSLASH = 0x5c
export const OPENING_BRACKET = 0x5b
export const CLOSING_BRACKET = 0x5d
export const OPENING_BRACE = 0x7b
export const CLOSING_BRACE = 0x7d
export const NEWLINE = 0x0a

const SPACE = 0x20
const TAB = 0x09
const RETURN = 0x0d

/** Whether a code unit is white space between the parts of JSON. */
export const isSpace = (code: number): boolean =>
  code === SPACE || code === NEWLINE || code === RETURN || code === TAB
