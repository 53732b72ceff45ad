import { cursorOf } from '../storage/records/pages.ts'

export type PageOptions = Readonly<{ limit: number; cursor?: string | undefined }>

/** One page of entries, newest first, of which one more than its length was read. */
export const pageOf = <Entry extends Readonly<{ createdAt: number; id: string }>>(
  entries: readonly Entry[],
  limit: number,
) => {
  const shown = entries.slice(0, limit)
  const last = shown.at(-1)
  return entries.length > limit && last
    ? { entries: shown, cursor: cursorOf({ at: last.createdAt, id: last.id }) }
    : { entries: shown }
}
