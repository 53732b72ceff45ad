import type { Caller } from '../visit.ts'

/** Whose stream it is. Absent where it cannot be told who is asking: what is nobody's, nobody may come back to. */
export const ownerOf = (caller: Caller): string | undefined => {
  if (caller.kind === 'guest') return `guest ${caller.id}`
  return caller.address === 'unknown' ? undefined : `address ${caller.address}`
}
