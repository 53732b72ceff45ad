import { z } from 'zod'

/** The members that the gateway reads of an object, by its `type`. */
export type ReadMembers = Readonly<Record<string, readonly string[]>>

/**
 * A schema of objects that sees only the members that the gateway reads of an object of that type, and its type: an
 * upstream of the same format knows all others.
 * @param usualType the type of an object that names none
 */
export const seeing = <S extends z.ZodType>(schema: S, read: ReadMembers, usualType = '') =>
  z.preprocess(value => seen(value, read, usualType), schema)

const seen = (value: unknown, read: ReadMembers, usualType: string): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { type, ...members } = value as Readonly<Record<string, unknown>>
  const known = type ?? usualType
  // Clients choose the type, and every object has a `constructor`.
  const names = typeof known === 'string' && Object.hasOwn(read, known) ? (read[known] ?? []) : []
  return Object.fromEntries([
    ...('type' in value ? [['type', type]] : []),
    ...names.flatMap(name => (Object.hasOwn(members, name) ? [[name, members[name]]] : [])),
  ])
}
