import type { ColumnType } from 'kysely'

/** Written as a number or a bigint, read as a number. Larger ones are read as text, by a cast. */
export type Integer = ColumnType<number, number | bigint, number | bigint>
export type OptionalInteger = ColumnType<
  number | null,
  number | bigint | null | undefined,
  number | bigint | null
>
