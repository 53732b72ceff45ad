import { z } from 'zod'

const unset = (value: unknown): unknown => (value === null ? undefined : value)

/** A field that may be left out. `null` means the same: many clients write it for what is unset. */
export const optional = <S extends z.ZodType>(schema: S) => z.preprocess(unset, schema.optional())

/** A field that has a value of its own where it is left out, or `null`. */
export const withDefault = <S extends z.ZodType>(schema: S, value: z.core.util.NoUndefined<z.output<S>>) =>
  z.preprocess(unset, schema.default(value))
