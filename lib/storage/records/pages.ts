import { type Expression, type ExpressionBuilder, type SqlBool, type StringReference, sql } from 'kysely'
import { GatewayError } from '../../errors.ts'

/** A row in a list that is in the order of a time, in milliseconds, and of an id. */
export type Position = Readonly<{ at: number; id: string }>

/**
 * A condition that only the rows after a position meet, in a list in `order` of the two columns: a comparison of row
 * values, for which SQLite and Postgres use an index over both columns. Without a position all rows meet it.
 */
export const rowsAfter = <DB, TB extends keyof DB>(
  where: ExpressionBuilder<DB, TB>,
  [at, id]: readonly [StringReference<DB, TB>, StringReference<DB, TB>],
  order: 'asc' | 'desc',
  position: Position | undefined,
): Expression<SqlBool> => {
  if (position === undefined) return sql<SqlBool>`true`
  const beyond = sql.raw(order === 'asc' ? '>' : '<')
  return sql<SqlBool>`(${where.ref(at)}, ${where.ref(id)}) ${beyond} (${position.at}, ${position.id})`
}

const SHAPE = /^(\d{1,15}) (.*)$/s

/** The position of the last row of a page, in an opaque form. */
export const cursorOf = ({ at, id }: Position): string => Buffer.from(`${at} ${id}`).toString('base64url')

/** Where the previous page ended. @throws GatewayError INVALID_INPUT for anything but a cursor with an id of that form */
export const readCursor = (cursor: string, ids: RegExp): Position => {
  const [, at, id] = SHAPE.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (at === undefined || id === undefined || !ids.test(id)) throw unknownCursor()
  const position = { at: Number(at), id }
  if (cursorOf(position) !== cursor) throw unknownCursor()
  return position
}

export const unknownCursor = (): GatewayError => {
  const message = 'is not a cursor of this API'
  return new GatewayError('INVALID_INPUT', `cursor: ${message}`, { details: [{ path: 'cursor', message }] })
}
