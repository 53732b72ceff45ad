import type { ConversationStore, Head, SavedConversation } from './conversation-store.ts'
import type { OpenTabs } from './open-tabs.ts'

/** Conversations that are kept beside those that are open, and for how long. */
export const MAX_CONVERSATIONS = 20
export const KEPT_MS = 30 * 24 * 60 * 60 * 1_000

type Tabs = Pick<OpenTabs, 'remembered' | 'claimed'>

/** The conversation that this tab had open before, else the newest one that no tab has open. */
export async function lastOpen(store: ConversationStore, tabs: Tabs): Promise<SavedConversation | undefined> {
  const { remembered } = tabs
  // A tab whose conversation was empty when it was reloaded stays empty.
  if (remembered) return store.load(remembered.open)
  const open = await tabs.claimed()
  const newest = (await store.list()).find(({ id }) => !open.has(id))
  return newest && store.load(newest.id)
}

/** Removes conversations that are too old or too many; never one that a tab has open. */
export async function prune(store: ConversationStore, tabs: Tabs, now: number): Promise<void> {
  const open = await tabs.claimed()
  const closed = (await store.list()).filter(({ id }) => !open.has(id))
  const isExpired = ({ updatedAt }: Head, index: number) =>
    index >= MAX_CONVERSATIONS || now - updatedAt > KEPT_MS
  for (const { id } of closed.filter(isExpired)) await store.remove(id)
}
