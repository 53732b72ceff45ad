/**
 * Whether a text matches `pattern`, in which each `*` matches anything, also nothing, and all else itself. Goes through
 * the text once and never back, whatever the pattern.
 */
export const globMatcher = (pattern: string): ((text: string) => boolean) => {
  const [first = '', ...others] = pattern.split('*')
  const last = others.pop()
  if (last === undefined) return text => text === pattern
  const between = others.filter(part => part !== '')
  return text => {
    if (!text.startsWith(first)) return false
    let from = first.length
    for (const part of between) {
      const at = text.indexOf(part, from)
      if (at === -1) return false
      from = at + part.length
    }
    return text.length - last.length >= from && text.endsWith(last)
  }
}
