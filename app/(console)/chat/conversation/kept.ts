import { type Conversation, conversation, empty } from './conversation.ts'

let kept = empty

/** The conversation saved when leaving for another page; lost with the tab. */
export const keptConversation = (): Conversation => kept

/** Saves it until the user returns; an answer in progress ends here. */
export function keepConversation(state: Conversation): void {
  kept = { ...conversation(state, { type: 'stopped' }), hold: state.hold }
}
