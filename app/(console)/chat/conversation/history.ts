import type { Message } from '../../gateway/wire.ts'
import { type Turn, textOf } from './turn.ts'

/** The contract's bounds on `messages`. */
export const MAX_MESSAGES = 50
export const MAX_CHARACTERS = 50_000

/** The conversation as it is sent: the newest turns that fit beside the question, oldest first. */
export function toMessages(turns: Turn[], question: string): Message[] {
  const kept = turns.slice(firstFitting(turns, question)).filter(isAnswered)
  return [...kept.flatMap(toPair), { role: 'user', content: question }]
}

/** Index of the first turn that still fits beside the question; earlier ones are left out. */
export function firstFitting(turns: Turn[], question: string): number {
  let messages = 1
  let characters = question.length
  for (let index = turns.length - 1; index >= 0; index--) {
    const turn = turns[index] as Turn
    if (!isAnswered(turn)) continue
    messages += 2
    characters += turn.question.length + textOf(turn.answer).length
    if (messages > MAX_MESSAGES || characters > MAX_CHARACTERS) return index + 1
  }
  return 0
}

/** A question without an answer is not repeated: a refused one would make every later request fail too. */
function isAnswered(turn: Turn): boolean {
  return textOf(turn.answer) !== ''
}

function toPair(turn: Turn): Message[] {
  return [
    { role: 'user', content: turn.question },
    { role: 'assistant', content: textOf(turn.answer) },
  ]
}
