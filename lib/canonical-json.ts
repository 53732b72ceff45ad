/**
 * A text that is the same for equivalent values, and different for different ones: fields in alphabetical order,
 * absent ones left out, -0 as 0, strings as JSON writes them (also unpaired surrogates).
 */
export const canonicalJson = (value: unknown): string => {
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? String(value + 0) : `"${value}"n`
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`
  const fields: string[] = []
  for (const name of Object.keys(value).toSorted()) {
    const field = (value as Readonly<Record<string, unknown>>)[name]
    if (field !== undefined) fields.push(`${JSON.stringify(name)}:${canonicalJson(field)}`)
  }
  return `{${fields.join()}}`
}
