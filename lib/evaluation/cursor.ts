import { invalidInput } from '../validation/zod.ts'

const SHAPE = /^(\d{1,15}) ((?:dataset|eval)_[\da-f]{32})$/

/** The last entry of a page, newest first. */
export type Position = Readonly<{ createdAt: number; id: string }>

/** The end of a page, in an opaque form. */
export const cursorOf = ({ createdAt, id }: Position): string =>
  Buffer.from(`${createdAt} ${id}`).toString('base64url')

/** @throws GatewayError INVALID_INPUT */
export const readCursor = (cursor: string): Position => {
  const [, at, id] = SHAPE.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (at !== undefined && id !== undefined) {
    const position = { createdAt: Number(at), id }
    if (cursorOf(position) === cursor) return position
  }
  throw invalidInput([{ path: 'cursor', message: 'is not a cursor of this API' }])
}

export type PageOptions = Readonly<{ limit: number; cursor?: string | undefined }>

/** One page of entries, of which one more than its length was read. */
export const pageOf = <Entry extends Position>(entries: readonly Entry[], limit: number) => {
  const shown = entries.slice(0, limit)
  const last = shown.at(-1)
  return entries.length > limit && last ? { entries: shown, cursor: cursorOf(last) } : { entries: shown }
}
