import { type Turn, textOf } from '../conversation/turn.ts'
import type { ConversationStore, Head } from './conversation-store.ts'

/** An answer arrives in many small pieces; its text is saved at most this often. */
export const SAVE_EVERY_MS = 500
/** The pause after a failed save, unless something changes before. */
const RETRY_MS = 5_000
/** Characters of questions and answers in one conversation, beyond which its oldest turns are not saved. */
const MAX_SAVED_CHARACTERS = 4_000_000

export type Content = { draft: string; turns: readonly Turn[] }

type Deps = {
  store: ConversationStore
  /** The content to be saved now. */
  content: () => Content
  now: () => number
  /** Called when saving begins to fail, or works again. */
  onFailing: (failing: boolean) => void
}

/** Saves one conversation soon after each change, from `begin` on, and only what has changed. */
export class Autosave {
  readonly #deps: Deps
  #id: string
  #saved: ReadonlyMap<number, Turn> = new Map()
  #timer: ReturnType<typeof setTimeout> | undefined
  #active = false
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(id: string, deps: Deps) {
    this.#id = id
    this.#deps = deps
  }

  get id(): string {
    return this.#id
  }

  /** Begins to save; `turns` are in the store already. */
  begin(turns: readonly Turn[]): void {
    this.#active = true
    this.#remember(turns)
    this.changed()
  }

  /** From now on the conversation is saved whole under another id. */
  moveTo(id: string): void {
    this.#id = id
    this.#saved = new Map()
    this.changed()
  }

  /** Call after a change of the content. */
  changed(): void {
    if (!this.#active) return
    const dueMs = this.#lastMs + SAVE_EVERY_MS - this.#deps.now()
    if (dueMs <= 0) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), dueMs)
  }

  /** Saves no more until `resume`. */
  pause(): void {
    this.#active = false
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  resume(): void {
    this.#active = true
    this.changed()
  }

  /** Saves at once what is waiting to be saved: before a page closes. */
  flushPending(): void {
    if (this.#timer !== undefined) this.#flush()
  }

  /** Removes the conversation from the store, and saves no more. */
  async remove(): Promise<void> {
    this.pause()
    await this.#deps.store.remove(this.#id).catch(() => undefined)
  }

  /** Does not wait for an earlier save: the store keeps their order. */
  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#active) return
    this.#lastMs = this.#deps.now()
    void this.#save()
  }

  #remember(turns: readonly Turn[]): void {
    this.#saved = new Map(turns.map(turn => [turn.id, turn]))
  }

  async #save(): Promise<void> {
    const { store, content, now, onFailing } = this.#deps
    const { draft, turns } = content()
    const kept = newestFitting(turns)
    const id = this.#id
    const head: Head = { id, updatedAt: now(), draft, turnIds: kept.map(turn => turn.id) }
    const changed = kept.filter(turn => this.#saved.get(turn.id) !== turn)
    const blank = kept.length === 0 && draft === ''
    try {
      await (blank ? store.remove(id) : store.save(head, changed))
      if (id === this.#id) this.#remember(kept)
      onFailing(false)
    } catch {
      onFailing(true)
      if (this.#active) this.#timer ??= setTimeout(() => this.#flush(), RETRY_MS)
    }
  }
}

function newestFitting(turns: readonly Turn[]): readonly Turn[] {
  let characters = 0
  const tooOld = turns.findLastIndex(({ question, answer }) => {
    characters += question.length + textOf(answer).length
    return characters > MAX_SAVED_CHARACTERS
  })
  return turns.slice(tooOld + 1)
}
