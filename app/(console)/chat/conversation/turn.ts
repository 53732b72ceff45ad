import type { ChatEvent, Facts, Failure } from '../../gateway/wire.ts'

/** One question and its answer. */
export type Turn = {
  id: number
  question: string
  /** The requested model; `undefined` leaves the choice to the gateway. */
  model: string | undefined
  answer: Answer
}

export type Answer =
  | { state: 'waiting' }
  | { state: 'streaming'; text: string; connection?: 'lost' | 'back' }
  | { state: 'done'; text: string; facts: Facts }
  | { state: 'stopped'; text: string }
  | { state: 'failed'; text: string; failure: Failure }

export const waiting: Answer = { state: 'waiting' }

export function textOf(answer: Answer): string {
  return answer.state === 'waiting' ? '' : answer.text
}

export function isOpen(answer: Answer | undefined): boolean {
  return answer?.state === 'waiting' || answer?.state === 'streaming'
}

/** The answer after one more event from the gateway. */
export function afterEvent(answer: Answer, event: ChatEvent): Answer {
  const text = textOf(answer)
  switch (event.type) {
    case 'start':
      return { state: 'streaming', text }
    case 'delta':
      return answer.state === 'streaming'
        ? { ...answer, text: text + event.text }
        : { state: 'streaming', text: event.text }
    case 'lost':
    case 'back':
      return { state: 'streaming', text, connection: event.type }
    case 'done':
      return { state: 'done', text, facts: event.facts }
    case 'error':
      return { state: 'failed', text, failure: event.failure }
  }
}

export function stopped(answer: Answer): Answer {
  return isOpen(answer) ? { state: 'stopped', text: textOf(answer) } : answer
}

/** A stopped answer with all of its text, as the gateway returns it: more of it may have been in transit. */
export function stoppedAt(answer: Answer, text: string): Answer {
  return answer.state === 'stopped' ? { state: 'stopped', text } : answer
}
