import { type Conversation, conversation, empty } from './conversation.ts'

let kept = empty

/** The conversation as it was left for another page; lost with the tab. */
export const keptConversation = (): Conversation => kept

/** Keeps it for when the visitor comes back; an answer under way ends here. */
export function keepConversation(state: Conversation): void {
  kept = { ...conversation(state, { type: 'stopped' }), hold: state.hold }
}
