import { type Fields, fieldsOf, listIn, wordIn } from './lenient.ts'

const bytesOf = (text: unknown): number => Buffer.byteLength(wordIn(text) ?? '')

/** UTF-8 bytes of a content, or of one of its parts. */
const contentBytes = (content: unknown): number =>
  Array.isArray(content)
    ? content.reduce<number>((bytes, part) => bytes + contentBytes(part), 0)
    : bytesOf(fieldsOf(content)?.text ?? content)

const callBytes = (call: Fields): number =>
  bytesOf(fieldsOf(call.function)?.arguments) + bytesOf(fieldsOf(call.custom)?.input)

/** UTF-8 bytes of what a message or a delta says: its answer, refusal, reasoning, and calls of tools. */
const messageBytes = (message: Fields): number =>
  contentBytes(message.content) +
  bytesOf(message.refusal) +
  bytesOf(wordIn(message.reasoning_content) ?? message.reasoning) +
  listIn(message.tool_calls).reduce((bytes, call) => bytes + callBytes(call), 0)

/**
 * UTF-8 bytes of the text of all choices but the one that is read. Never throws.
 *
 * @param repeats whether whole messages repeat what deltas have said
 */
export const otherTextBytes = (choices: unknown, read: Fields | undefined, repeats: boolean): number => {
  if (!Array.isArray(choices) || (choices.length === 1 && choices[0] === read)) return 0
  return listIn(choices).reduce((bytes, choice) => {
    const message = fieldsOf(choice.delta ?? (repeats ? undefined : choice.message))
    return choice === read || !message ? bytes : bytes + messageBytes(message)
  }, 0)
}
