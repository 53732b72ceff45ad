/**
 * No control characters, of which Postgres takes U+0000 in no text, and no halves of surrogate pairs, of which UTF-8 has
 * none: two texts that differ in one alone would be stored as the same.
 */
export const NO_CONTROL = /^[^\p{Cc}\p{Cs}]*$/u
export const NO_CONTROL_RULE = 'must hold no control characters, and be well-formed Unicode'
