import type { Turn } from '../conversation/turn.ts'

/** A stored conversation without its turns. */
export type Head = {
  id: string
  /** The time of the last change, as of `Date.now()`. */
  updatedAt: number
  /** A question that is written but not sent. */
  draft: string
  /** Ids of its turns, oldest first. */
  turnIds: number[]
}

export type SavedConversation = { head: Head; turns: Turn[] }

/**
 * Where conversations are kept. Every method rejects where the storage is unavailable or full. What is read is valid:
 * records of another version and damaged ones are left out.
 */
export interface ConversationStore {
  /** The most recently updated first. */
  list(): Promise<Head[]>
  load(id: string): Promise<SavedConversation | undefined>
  /** Writes a conversation in one transaction: its head, and those of its turns that have changed. */
  save(head: Head, changed: readonly Turn[]): Promise<void>
  remove(id: string): Promise<void>
  /** Removes all conversations. */
  clear(): Promise<void>
}
