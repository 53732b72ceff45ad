import type { Call, Content, ContentPart, Message, ModelParameters, RawRequest } from '../../llm/types.ts'
import type { Steps } from '../../loop-turns.ts'
import { objectOf } from '../../raw-json.ts'
import { isJson, textsIn, withStrings } from '../json-strings.ts'
import type { Place, PlacedText } from '../types.ts'
import { isDescribing, textsInMembers, withTextsInMembers } from './raw-texts.ts'

const PLACE_OF_ROLE: Readonly<Record<Message['role'], Place>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'answer',
  tool: 'tool-result',
}

const textsOfContent = (content: Content): readonly string[] =>
  typeof content === 'string' ? [content] : content.flatMap(part => (part.type === 'text' ? [part.text] : []))

const textsOfMessage = (message: Message): readonly PlacedText[] => {
  const texts = textsOfContent(message.content).map(text => ({ text, place: PLACE_OF_ROLE[message.role] }))
  if (message.role !== 'assistant') return texts
  const { toolCalls = [], reasoning = [], refusal } = message
  return [
    ...texts,
    ...toolCalls.map(call => ({ text: call.arguments, place: 'tool-arguments' as const })),
    ...reasoning.map(({ text }) => ({ text, place: 'reasoning' as const })),
    ...(refusal === undefined ? [] : [{ text: refusal, place: 'refusal' as const }]),
  ]
}

/** Whether a text is taken for JSON. To make sure of a long one would block the event loop. */
const looksLikeJson = (text: string): boolean =>
  text.length <= LONGEST_PARSED ? isJson(text) : BEGINS_LIKE_JSON.test(text)
const LONGEST_PARSED = 65_536
const BEGINS_LIKE_JSON = /^\s*[[{]/

/** The strings within the arguments of earlier tool calls, which some formats hold as objects: a model wrote them. */
function* argumentTexts(message: Message): Steps<readonly PlacedText[]> {
  const found: PlacedText[] = []
  if (message.role !== 'assistant') return found
  for (const { arguments: json } of message.toolCalls ?? []) {
    if (!looksLikeJson(json)) continue
    try {
      for (const text of yield* textsIn(json, () => true)) found.push({ text, place: 'tool-arguments' })
    } catch (error) {
      // It is no JSON after all, and is looked at as a whole like any text.
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return found
}

/**
 * Every text that a call brings to a model, with its place, each once. What stands in a part of a request that the
 * gateway does not know is a document.
 */
export function* textsOfCall(call: Call): Steps<readonly PlacedText[]> {
  const found: PlacedText[] = []
  const seen = new Map<Place, Set<string>>()
  const known = new Set<string>()
  const add = (given: PlacedText): void => {
    const ofPlace = seen.get(given.place) ?? new Set()
    seen.set(given.place, ofPlace)
    if (given.text === '' || ofPlace.has(given.text)) return
    ofPlace.add(given.text)
    known.add(given.text)
    found.push(given)
  }
  for (const message of call.messages) {
    textsOfMessage(message).forEach(add)
    if (call.raw) for (const text of yield* argumentTexts(message)) add(text)
    yield
  }
  const place = call.passthrough ? 'user' : 'document'
  for (const members of membersOfCall(call)) {
    const { content, definitions } = yield* textsInMembers(members)
    for (const text of content) if (!known.has(text)) add({ text, place })
    for (const text of definitions) add({ text, place: 'tool-definition' })
  }
  if (call.passthrough?.body.kind === 'form')
    for (const part of call.passthrough.body.parts)
      if ('value' in part && part.name === 'prompt') add({ text: part.value, place })
  return found
}

const membersOfCall = ({ raw, passthrough }: Call) => [
  ...(raw ? [raw.members] : []),
  ...(raw?.resolved ? [raw.resolved.members] : []),
  ...(passthrough?.body.kind === 'json' ? [passthrough.body.members] : []),
]

type Replaced = ReadonlyMap<string, string>

const replacedPart =
  (replaced: Replaced) =>
  (part: ContentPart): ContentPart =>
    part.type === 'text' ? { ...part, text: replaced.get(part.text) ?? part.text } : part

const replacedContent = (content: Content, replaced: Replaced): Content =>
  typeof content === 'string' ? (replaced.get(content) ?? content) : content.map(replacedPart(replaced))

const replacedMessage = (message: Message, replaced: Replaced): Message => {
  const content = replacedContent(message.content, replaced)
  if (message.role !== 'assistant') return { ...message, content }
  const { toolCalls, reasoning, refusal } = message
  return {
    ...message,
    content,
    ...(toolCalls && {
      toolCalls: toolCalls.map(call => ({
        ...call,
        arguments: replaced.get(call.arguments) ?? call.arguments,
      })),
    }),
    // A vendor refuses reasoning that differs from what it has signed.
    ...(reasoning && { reasoning: reasoning.filter(({ text }) => !replaced.has(text)) }),
    ...(refusal !== undefined && { refusal: replaced.get(refusal) ?? refusal }),
  }
}

/** The definitions of tools, and of the answer's form, as translators write them for other formats. */
function* replacedDefinitions(
  { tools, responseFormat, ...parameters }: ModelParameters,
  replaced: Replaced,
): Steps<ModelParameters> {
  const json = yield* withStrings(JSON.stringify({ tools, responseFormat }), (text, key) =>
    isDescribing(key) ? replaced.get(text) : undefined,
  )
  return { ...parameters, ...JSON.parse(json) }
}

function* replacedRaw(raw: RawRequest, replaced: Replaced): Steps<RawRequest> {
  const members = yield* withTextsInMembers(raw.members, replaced)
  const { resolved } = raw
  return {
    ...raw,
    members,
    json: objectOf(members),
    ...(resolved && {
      resolved: { ...resolved, members: yield* withTextsInMembers(resolved.members, replaced) },
    }),
  }
}

/** The call with other texts in place of some, wherever they stand in it. */
export function* withTextsOfCall(call: Call, replaced: Replaced): Steps<Call> {
  const { parameters, raw, passthrough } = call
  return {
    ...call,
    messages: call.messages.map(message => replacedMessage(message, replaced)),
    ...(parameters && { parameters: yield* replacedDefinitions(parameters, replaced) }),
    ...(raw && { raw: yield* replacedRaw(raw, replaced) }),
    ...(passthrough && {
      passthrough: {
        ...passthrough,
        body:
          passthrough.body.kind === 'json'
            ? { kind: 'json', members: yield* withTextsInMembers(passthrough.body.members, replaced) }
            : {
                kind: 'form',
                parts: passthrough.body.parts.map(part =>
                  'value' in part && part.name === 'prompt'
                    ? { ...part, value: replaced.get(part.value) ?? part.value }
                    : part,
                ),
              },
      },
    }),
  }
}
