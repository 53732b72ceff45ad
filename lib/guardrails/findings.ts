import { GatewayError } from '../errors.ts'
import type { GuardrailFinding } from '../request-context.ts'
import type { Place, Verdict } from './types.ts'

/** The refusal of a content: it names the rail and the rule, never the text. */
export const blocked = ({ rail, rule }: Pick<Verdict, 'rail' | 'rule'>, place: Place): GatewayError =>
  new GatewayError('CONTENT_BLOCKED', `The guardrail “${rail}” blocked ${IN_WORDS[place]} (rule ${rule}).`)

const IN_WORDS: Readonly<Record<Place, string>> = {
  system: 'a system message',
  user: "the user's message",
  'tool-result': 'the result of a tool',
  'tool-arguments': 'the arguments of a tool call',
  reasoning: "the model's reasoning",
  refusal: "the model's refusal",
  answer: "the model's answer",
  document: 'a document',
  'tool-definition': 'the definition of a tool or of the answer’s form',
}

const DONE: Readonly<Record<string, string>> = {
  flag: 'flagged',
  redact: 'redacted',
  'another-model': 'sent to another model',
  block: 'blocked',
}

/** A finding as a sentence for clients. */
export const warningOf = ({ rail, rule, place, action, count }: GuardrailFinding): string =>
  `The guardrail “${rail}” ${DONE[action] ?? action} ${IN_WORDS[place as Place] ?? place} (rule ${rule}${count > 1 ? `, ${count} times` : ''}).`
