/** Below this depth any value counts as content. */
const MAX_DEPTH = 3

/**
 * Whether an `error` field describes an error. Some vendors put one beside every answer and leave its fields empty:
 * null, false, zero, empty strings, and objects and arrays of nothing else describe none.
 */
export const describesError = (value: unknown, depth = 0): boolean => {
  if (typeof value !== 'object' || value === null)
    return Boolean(typeof value === 'string' ? value.trim() : value)
  if (depth === MAX_DEPTH) return true
  return Object.values(value).some(one => describesError(one, depth + 1))
}
