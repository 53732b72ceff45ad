import { unknownCursor } from '../../storage/records/pages.ts'

const SHAPE = /^\d{1,10}$/

/** Indexes are 32-bit integers. */
const LAST_INDEX = 2 ** 31 - 1

/** The end of a page of items, in an opaque form. */
export const itemsCursorOf = (index: number): string => Buffer.from(`${index}`).toString('base64url')

/** The index at which a page of items ended. @throws GatewayError INVALID_INPUT */
export const readItemsCursor = (cursor: string): number => {
  const text = Buffer.from(cursor, 'base64url').toString()
  const index = Number(text)
  if (!SHAPE.test(text) || itemsCursorOf(index) !== cursor || index > LAST_INDEX) throw unknownCursor()
  return index
}
