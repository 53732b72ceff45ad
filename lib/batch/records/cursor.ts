import { GatewayError } from '../../errors.ts'

const SHAPE = /^(\d{1,15})(?: (batch_[\da-f]{32}))?$/

/** Indexes are 32-bit integers. */
const LAST_PLACE = 2 ** 31 - 1

/** The end of a page, in an opaque form. */
export const cursorOf = (place: number, id = ''): string =>
  Buffer.from(id === '' ? `${place}` : `${place} ${id}`).toString('base64url')

const refused = (): GatewayError =>
  new GatewayError('INVALID_INPUT', 'cursor: is not a cursor of this API', {
    details: [{ path: 'cursor', message: 'is not a cursor of this API' }],
  })

const readCursor = (cursor: string): Readonly<{ place: number; id: string }> => {
  const [, place, id = ''] = SHAPE.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (place === undefined || cursorOf(Number(place), id) !== cursor) throw refused()
  return { place: Number(place), id }
}

/** Where a page of jobs ended. @throws GatewayError INVALID_INPUT */
export const readJobsCursor = (cursor: string): Readonly<{ place: number; id: string }> => {
  const read = readCursor(cursor)
  if (read.id === '') throw refused()
  return read
}

/** The index at which a page of items ended. @throws GatewayError INVALID_INPUT */
export const readItemsCursor = (cursor: string): number => {
  const { place, id } = readCursor(cursor)
  if (id !== '' || place > LAST_PLACE) throw refused()
  return place
}
