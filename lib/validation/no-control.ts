/** No control characters, of which Postgres takes U+0000 in no text. */
export const NO_CONTROL = /^\P{Cc}*$/u
export const NO_CONTROL_RULE = 'must hold no control characters'
