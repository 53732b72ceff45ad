import type { RawMembers, RawRequest } from '../llm/types.ts'
import { objectOf } from '../raw-json.ts'

type Changed = (written: string | undefined) => string

/** No name is written twice: the gateway refuses such a body. */
const withMember = (members: RawMembers, name: string, change: Changed): RawMembers => {
  const written = new Map(members)
  written.set(name, change(written.get(name)))
  return [...written]
}

const withMemberOfAll = (raw: RawRequest, name: string, change: Changed): RawRequest => {
  const members = withMember(raw.members, name, change)
  const { resolved } = raw
  return {
    ...raw,
    members,
    json: objectOf(members),
    ...(resolved && { resolved: { ...resolved, members: withMember(resolved.members, name, change) } }),
  }
}

const isArray = (written: string | undefined): written is string => written?.startsWith('[') ?? false
const isString = (written: string | undefined): written is string => written?.startsWith('"') ?? false

/** Elements before those of an array, which stay as they are written. */
const before = (elements: readonly object[], written: string): string => {
  const rest = written.slice(1).trimStart()
  return `[${elements.map(one => JSON.stringify(one)).join()}${rest.startsWith(']') ? '' : ','}${rest}`
}

/** Elements after those of an array, which stay as they are written. */
const after = (elements: readonly object[], written: string): string => {
  const rest = written.slice(0, -1).trimEnd()
  return `${rest}${rest === '[' ? '' : ','}${elements.map(one => JSON.stringify(one)).join()}]`
}

/** Text before a JSON string, which stays as it is written. */
const beforeText = (text: string, written: string): string =>
  `"${JSON.stringify(text).slice(1, -1)}${written.slice(1)}`

const isBlank = (written: string): boolean => JSON.parse(written).trim() === ''

const anthropicSystem = (text: string, written: string | undefined): string => {
  const ours = { type: 'text', text }
  if (isArray(written)) return before([ours], written)
  // Anthropic refuses blocks without text.
  if (!isString(written) || isBlank(written)) return JSON.stringify([ours])
  return `[${JSON.stringify(ours)},{"type":"text","text":${written}}]`
}

const responsesInstructions = (text: string, written: string | undefined): string => {
  if (isArray(written)) return before([{ type: 'message', role: 'system', content: text }], written)
  return isString(written) ? beforeText(`${text}\n\n`, written) : JSON.stringify(text)
}

/** A body with an instruction before everything else that a model reads of it. What the client wrote stays as it is. */
export const withInstruction = (raw: RawRequest, text: string): RawRequest => {
  switch (raw.format) {
    case 'openai-chat':
      return withMemberOfAll(raw, 'messages', written =>
        before([{ role: 'system', content: text }], isArray(written) ? written : '[]'),
      )
    case 'anthropic-messages':
      return withMemberOfAll(raw, 'system', written => anthropicSystem(text, written))
    case 'openai-responses':
      return withMemberOfAll(raw, 'instructions', written => responsesInstructions(text, written))
  }
}

const responsesInput = (turn: readonly object[], written: string | undefined): string => {
  if (isArray(written)) return after(turn, written)
  if (!isString(written)) return JSON.stringify(turn)
  return after(turn, `[{"type":"message","role":"user","content":[{"type":"input_text","text":${written}}]}]`)
}

/** A body with an answer of the model, and what its user says to that, after everything else. */
export const withTurn = (raw: RawRequest, answer: string, reply: string): RawRequest => {
  const turn = [
    { role: 'assistant', content: answer },
    { role: 'user', content: reply },
  ]
  return raw.format === 'openai-responses'
    ? withMemberOfAll(raw, 'input', written => responsesInput(turn, written))
    : withMemberOfAll(raw, 'messages', written => after(turn, isArray(written) ? written : '[]'))
}
