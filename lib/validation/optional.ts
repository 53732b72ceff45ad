import { z } from 'zod'

const unset = (value: unknown): unknown => (value === null ? undefined : value)

/** Marks a field for the published schema, which is not derived from functions. */
const NULLABLE = { nullable: true } as const

/** A field that may be left out. `null` means the same: many clients send it for unset fields. */
export const optional = <S extends z.ZodType>(schema: S) =>
  z.preprocess(unset, schema.optional()).meta(NULLABLE)

/** A field with a default for an absent or `null` value. */
export const withDefault = <S extends z.ZodType>(schema: S, value: z.core.util.NoUndefined<z.output<S>>) =>
  z.preprocess(unset, schema.default(value)).meta(NULLABLE)
