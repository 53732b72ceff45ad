import type { ChatEvent } from '../../gateway/wire.ts'
import type { Hold } from '../../hold-notice.tsx'
import { type Answer, afterEvent, stopped, stoppedAt, type Turn, waiting } from './turn.ts'

export type Conversation = {
  turns: Turn[]
  /** The answer that a retry is about to replace; restored if the gateway requires a wait. */
  replaced?: Answer | undefined
  /** Set while the gateway requires a wait. */
  hold?: Hold | undefined
  /** Set when such a wait has just ended. */
  waited?: boolean
}

export type Action =
  | { type: 'asked'; question: string; model: string | undefined }
  | { type: 'asked-again'; model: string | undefined }
  | { type: 'received'; events: ChatEvent[] }
  | { type: 'stopped' }
  | { type: 'stopped-at'; text: string }
  | { type: 'wait-required'; hold: Hold }
  | { type: 'wait-over' }
  | { type: 'taken-back' }
  | { type: 'cleared' }

export const empty: Conversation = { turns: [] }

export function conversation(state: Conversation, action: Action): Conversation {
  const { turns } = state
  switch (action.type) {
    case 'asked': {
      const { question, model } = action
      return { turns: [...turns, { id: (turns.at(-1)?.id ?? 0) + 1, question, model, answer: waiting }] }
    }
    case 'asked-again':
      return {
        turns: withLast(turns, last => ({ ...last, model: action.model, answer: waiting })),
        replaced: turns.at(-1)?.answer,
      }
    case 'received':
      return { turns: withAnswer(turns, answer => action.events.reduce(afterEvent, answer)) }
    case 'stopped':
      return { turns: withAnswer(turns, stopped) }
    case 'stopped-at':
      return { turns: withAnswer(turns, answer => stoppedAt(answer, action.text)) }
    case 'wait-required':
      return { turns: beforeAsking(state), hold: action.hold }
    case 'wait-over':
      return { turns, waited: true }
    case 'taken-back':
      return { turns: turns.slice(0, -1) }
    case 'cleared':
      return { turns: [], hold: state.hold }
  }
}

function beforeAsking({ turns, replaced }: Conversation): Turn[] {
  return replaced ? withAnswer(turns, () => replaced) : turns.slice(0, -1)
}

function withAnswer(turns: Turn[], change: (answer: Answer) => Answer): Turn[] {
  return withLast(turns, last => ({ ...last, answer: change(last.answer) }))
}

function withLast(turns: Turn[], change: (turn: Turn) => Turn): Turn[] {
  const last = turns.at(-1)
  return last ? [...turns.slice(0, -1), change(last)] : turns
}
