import type { StreamPosition } from '../../gateway/resumable-stream.ts'
import type { ChatEvent } from '../../gateway/wire.ts'
import type { Hold } from '../../hold-notice.tsx'
import {
  type Answer,
  afterEvent,
  atPosition,
  type StoppedEnd,
  stopped,
  stoppedAt,
  type Turn,
  waiting,
  withPrevious,
} from './turn.ts'

export type Conversation = {
  turns: Turn[]
  /** Set while the gateway requires a wait. */
  hold?: Hold | undefined
  /** Set when such a wait has just ended. */
  waited?: boolean
}

/** What is asked, and of whom. */
export type Question = Pick<Turn, 'question' | 'model' | 'tools'>

export type Action =
  | ({ type: 'asked' } & Question)
  /** `offered`: the tools that there are now; all are kept where that is unknown. */
  | { type: 'asked-again'; model: string | undefined; offered?: readonly string[] | undefined }
  | { type: 'received'; events: ChatEvent[]; position?: StreamPosition | undefined }
  | { type: 'stopped' }
  | { type: 'stopped-at'; end: StoppedEnd }
  | { type: 'wait-required'; hold: Hold }
  | { type: 'wait-over' }
  | { type: 'taken-back' }

export const empty: Conversation = { turns: [] }

export function conversation(state: Conversation, action: Action): Conversation {
  const { turns } = state
  switch (action.type) {
    case 'asked': {
      const { question, model, tools = [] } = action
      const asked = { question, model, ...(tools.length > 0 && { tools }) }
      return { turns: [...turns, { id: (turns.at(-1)?.id ?? 0) + 1, ...asked, answer: waiting }] }
    }
    case 'asked-again': {
      const { model, offered } = action
      return {
        turns: withLast(turns, last => ({
          ...last,
          model,
          ...(last.tools && offered && { tools: last.tools.filter(name => offered.includes(name)) }),
          answer: waiting,
          previous: last.answer,
        })),
      }
    }
    case 'received': {
      const { events, position } = action
      return { turns: withAnswer(turns, answer => events.reduce(afterEvent, atPosition(answer, position))) }
    }
    case 'stopped':
      return { turns: withAnswer(turns, stopped) }
    case 'stopped-at':
      return { turns: withAnswer(turns, answer => stoppedAt(answer, action.end)) }
    case 'wait-required':
      return { turns: beforeAsking(turns), hold: action.hold }
    case 'wait-over':
      return { turns, waited: true }
    case 'taken-back':
      return { turns: turns.slice(0, -1) }
  }
}

function beforeAsking(turns: Turn[]): Turn[] {
  const previous = turns.at(-1)?.previous
  return previous ? withAnswer(turns, () => previous) : turns.slice(0, -1)
}

function withAnswer(turns: Turn[], change: (answer: Answer) => Answer): Turn[] {
  return withLast(turns, last => withPrevious({ ...last, answer: change(last.answer) }))
}

function withLast(turns: Turn[], change: (turn: Turn) => Turn): Turn[] {
  const last = turns.at(-1)
  return last ? [...turns.slice(0, -1), change(last)] : turns
}
