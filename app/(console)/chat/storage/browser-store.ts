import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { Turn } from '../conversation/turn.ts'
import type { ConversationStore, Head, SavedConversation } from './conversation-store.ts'
import { isHead, isTurn } from './valid-records.ts'

const DATABASE = 'parley-chat'
/** The version of the records' format: raising it means converting or dropping what an older page has written. */
const VERSION = 1

interface Schema extends DBSchema {
  heads: { key: string; value: unknown }
  /** Keyed by conversation and turn. */
  turns: { key: [string, number]; value: unknown }
}

const turnsOf = (id: string) => IDBKeyRange.bound([id], [id, []])

/** Conversations in this browser's IndexedDB. */
export class BrowserStore implements ConversationStore {
  #opened: Promise<IDBPDatabase<Schema>> | undefined

  async list(): Promise<Head[]> {
    const heads = await (await this.#database()).getAll('heads')
    return heads.filter(isHead).sort((a, b) => b.updatedAt - a.updatedAt)
  }

  async load(id: string): Promise<SavedConversation | undefined> {
    const transaction = (await this.#database()).transaction(['heads', 'turns'])
    const [head, values] = await Promise.all([
      transaction.objectStore('heads').get(id),
      transaction.objectStore('turns').getAll(turnsOf(id)),
    ])
    if (!isHead(head)) return undefined
    const turns = new Map(values.filter(isTurn).map(turn => [turn.id, turn]))
    return { head, turns: head.turnIds.flatMap(turnId => turns.get(turnId) ?? []) }
  }

  async save(head: Head, changed: readonly Turn[]): Promise<void> {
    const database = await this.#database()
    const transaction = database.transaction(['heads', 'turns'], 'readwrite', { durability: 'relaxed' })
    const turns = transaction.objectStore('turns')
    const [first = 0, last = 0] = [head.turnIds[0], head.turnIds.at(-1)]
    const writes = [
      transaction.objectStore('heads').put(head, head.id),
      turns.delete(IDBKeyRange.bound([head.id], [head.id, first], false, true)),
      turns.delete(IDBKeyRange.bound([head.id, last], [head.id, []], true, false)),
      ...changed.map(turn => turns.put(turn, [head.id, turn.id])),
    ]
    // Explicitly, so that it is complete even if the page closes now.
    transaction.commit()
    await Promise.all([...writes, transaction.done])
  }

  async remove(id: string): Promise<void> {
    const transaction = (await this.#database()).transaction(['heads', 'turns'], 'readwrite')
    const writes = [
      transaction.objectStore('heads').delete(id),
      transaction.objectStore('turns').delete(turnsOf(id)),
    ]
    transaction.commit()
    await Promise.all([...writes, transaction.done])
  }

  async clear(): Promise<void> {
    const transaction = (await this.#database()).transaction(['heads', 'turns'], 'readwrite')
    await Promise.all([
      transaction.objectStore('heads').clear(),
      transaction.objectStore('turns').clear(),
      transaction.done,
    ])
  }

  /** Opened once; again after a failure or when the browser has closed it. */
  #database(): Promise<IDBPDatabase<Schema>> {
    this.#opened ??= this.#open().catch(error => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  async #open(): Promise<IDBPDatabase<Schema>> {
    const forget = () => {
      this.#opened = undefined
    }
    return openDB<Schema>(DATABASE, VERSION, {
      upgrade(database) {
        database.createObjectStore('heads')
        database.createObjectStore('turns')
      },
      // Another tab has a newer version of the page, or the data of this site are being deleted.
      blocking(_current, _blocked, event) {
        forget()
        if (event.target instanceof IDBDatabase) event.target.close()
      },
      terminated: forget,
    })
  }
}
