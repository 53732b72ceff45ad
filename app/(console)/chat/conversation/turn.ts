import type { ChatEvent, Facts, Failure, Start } from '../../gateway/wire.ts'

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
  | { state: 'streaming'; text: string; start?: Start; connection?: 'lost' | 'back' }
  | { state: 'done'; text: string; facts: Facts }
  | { state: 'stopped'; text: string; start?: Start }
  | { state: 'failed'; text: string; start?: Start; failure: Failure }

export const waiting: Answer = { state: 'waiting' }

export function textOf(answer: Answer): string {
  return answer.state === 'waiting' ? '' : answer.text
}

/** What was known when the answer began; undefined where it has not begun. */
export function startOf(answer: Answer): Start | undefined {
  return answer.state === 'waiting' || answer.state === 'done' ? undefined : answer.start
}

export function isOpen(answer: Answer | undefined): boolean {
  return answer?.state === 'waiting' || answer?.state === 'streaming'
}

/** The answer after one more event from the gateway. */
export function afterEvent(answer: Answer, event: ChatEvent): Answer {
  const text = textOf(answer)
  const start = startOf(answer)
  const begun = { text, ...(start && { start }) }
  switch (event.type) {
    case 'start':
      return { state: 'streaming', text, start: event.start }
    case 'delta':
      return answer.state === 'streaming'
        ? { ...answer, text: text + event.text }
        : { state: 'streaming', text: event.text }
    case 'lost':
    case 'back':
      return { state: 'streaming', ...begun, connection: event.type }
    case 'done':
      return { state: 'done', text, facts: event.facts }
    case 'error':
      return { state: 'failed', ...begun, failure: event.failure }
  }
}

export function stopped(answer: Answer): Answer {
  if (!isOpen(answer)) return answer
  const start = startOf(answer)
  return { state: 'stopped', text: textOf(answer), ...(start && { start }) }
}

/** A stopped answer with all of its text, as the gateway returns it: more of it may have been in transit. */
export function stoppedAt(answer: Answer, text: string): Answer {
  return answer.state === 'stopped' ? { ...answer, text } : answer
}
