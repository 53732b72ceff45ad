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
  const members = value as Readonly<Record<string, unknown>>
  const type = members.type ?? usualType
  const found: Record<string, unknown> = 'type' in members ? { type: members.type } : {}
  // Clients choose the type, and every object has a `constructor`.
  if (typeof type !== 'string' || !Object.hasOwn(read, type)) return found
  for (const name of read[type] ?? []) if (Object.hasOwn(members, name)) found[name] = members[name]
  return found
}
