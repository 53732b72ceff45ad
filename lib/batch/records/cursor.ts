import { GatewayError } from '../../errors.ts'

const SHAPE = /^(\d{1,15})(?: (batch_[\da-f]{32}))?$/

/** Where a page ends, in a form that says nothing to whoever passes it on. */
export const cursorOf = (place: number, id = ''): string =>
  Buffer.from(id === '' ? `${place}` : `${place} ${id}`).toString('base64url')

/** @throws GatewayError INVALID_INPUT */
export const readCursor = (cursor: string): Readonly<{ place: number; id: string }> => {
  const [, place, id = ''] = SHAPE.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (place === undefined || cursorOf(Number(place), id) !== cursor)
    throw new GatewayError('INVALID_INPUT', 'cursor: is none that was given out', {
      details: [{ path: 'cursor', message: 'is none that was given out' }],
    })
  return { place: Number(place), id }
}
