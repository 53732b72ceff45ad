import { Autosave } from '../storage/autosave.ts'
import type { ConversationStore } from '../storage/conversation-store.ts'
import type { OpenTabs } from '../storage/open-tabs.ts'
import { LiveConversation, type LiveConversationEvents } from './live-conversation.ts'
import type { Turn } from './turn.ts'

export type OpenConversationDeps = {
  store: ConversationStore
  tabs: OpenTabs
  draft: () => string
  onFailing: (failing: boolean) => void
} & LiveConversationEvents

/** A conversation that this tab has open: its state and requests, and what keeps it in the store. */
export class OpenConversation {
  readonly live: LiveConversation
  readonly saving: Autosave
  readonly #tabs: OpenTabs

  constructor(id: string, { store, tabs, draft, onFailing, onChange, onWithdrawn }: OpenConversationDeps) {
    this.#tabs = tabs
    this.live = new LiveConversation({
      onWithdrawn,
      onChange: () => {
        this.saving.changed()
        onChange()
      },
    })
    this.saving = new Autosave(id, {
      store,
      content: () => ({ draft: draft(), turns: this.live.state.turns }),
      now: Date.now,
      onFailing,
    })
  }

  /** Begins to keep it in the store. `turns` come from there; an answer among them that was in progress continues. */
  begin(turns: Turn[] = [], options = { askAgain: false }): void {
    this.#tabs.claim(this.id)
    if (turns.length > 0) this.live.restore(turns, options)
    this.saving.begin(turns)
  }

  get id(): string {
    return this.saving.id
  }

  /** Continues under an id of its own, when another tab has taken over the present one. */
  moveTo(id: string): void {
    this.#tabs.claim(id)
    this.saving.moveTo(id)
  }

  /** Stops its answer and removes it from the store. */
  async discard(): Promise<void> {
    void this.live.stop()
    await this.saving.remove()
    this.#tabs.release(this.id)
  }
}
