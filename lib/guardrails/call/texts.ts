import type {
  Call,
  Content,
  ContentPart,
  Message,
  ModelParameters,
  RawRequest,
  ToolCall,
} from '../../llm/types.ts'
import { LONG_STEP, type Steps } from '../../loop-turns.ts'
import { objectOf } from '../../raw-json.ts'
import { looksLikeJson } from '../json-place.ts'
import { textsIn, withStrings } from '../json-strings.ts'
import type { Place, PlacedText } from '../types.ts'
import { assertJson, isDescribing, type Replaced, textsInMembers, withTextsInMembers } from './raw-texts.ts'

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

/** The strings within JSON that a model wrote to a tool, and which is looked at as a whole too. */
function* stringsOf(json: string): Steps<readonly PlacedText[]> {
  if (!looksLikeJson(json)) return []
  try {
    const texts = yield* textsIn(json, () => true)
    return texts.map(text => ({ text, place: 'tool-arguments' }))
  } catch (error) {
    // It is no JSON after all.
    if (error instanceof SyntaxError) return []
    throw error
  }
}

const argumentsIn = (message: Message): readonly string[] =>
  message.role === 'assistant' ? (message.toolCalls ?? []).map(call => call.arguments) : []

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
    if (call.raw) for (const json of argumentsIn(message)) (yield* stringsOf(json)).forEach(add)
    yield
  }
  const place = call.passthrough ? 'user' : 'document'
  for (const members of membersOfCall(call)) {
    const { content, definitions, toolInputs } = yield* textsInMembers(members)
    for (const text of toolInputs)
      [{ text, place: 'tool-arguments' as const }, ...(yield* stringsOf(text))].forEach(add)
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

/** A part that says itself what its block said. */
const withoutBlock = (part: ContentPart): ContentPart => {
  if (!('block' in part)) return part
  const { block: _, ...others } = part
  return others
}

/** A block of the client's format with other texts; none where they are not found in it as they are. */
function* replacedBlock(part: ContentPart, isChanged: boolean, replaced: Replaced): Steps<ContentPart> {
  if (!('block' in part) || typeof part.block !== 'object' || part.type === 'image') return part
  yield LONG_STEP
  const written = JSON.stringify(part.block)
  const json = yield* withStrings(written, text => replaced.get(text))
  if (json !== written) return { ...part, block: JSON.parse(json) }
  return isChanged ? withoutBlock(part) : part
}

function* replacedPart(part: ContentPart, replaced: Replaced): Steps<ContentPart> {
  const text = part.type === 'text' ? replaced.get(part.text) : undefined
  const changed = part.type === 'text' && text !== undefined ? { ...part, text } : part
  return yield* replacedBlock(changed, text !== undefined, replaced)
}

function* replacedContent(content: Content, replaced: Replaced): Steps<Content> {
  if (typeof content === 'string') return replaced.get(content) ?? content
  const parts: ContentPart[] = []
  let isBlockGone = false
  for (const part of content) {
    const changed = yield* replacedPart(part, replaced)
    const isContinued = 'block' in part && part.block === 'continued'
    if (!isContinued) isBlockGone = 'block' in part && !('block' in changed)
    parts.push(isContinued && isBlockGone ? withoutBlock(changed) : changed)
  }
  return parts
}

function* replacedArguments(json: string, replaced: Replaced): Steps<string> {
  const written = replaced.get(json) ?? json
  if (written !== json && looksLikeJson(json)) assertJson(written)
  try {
    return looksLikeJson(written) ? yield* withStrings(written, text => replaced.get(text)) : written
  } catch (error) {
    if (error instanceof SyntaxError) return written
    throw error
  }
}

function* replacedCalls(calls: readonly ToolCall[], replaced: Replaced): Steps<readonly ToolCall[]> {
  const changed: ToolCall[] = []
  for (const call of calls)
    changed.push({ ...call, arguments: yield* replacedArguments(call.arguments, replaced) })
  return changed
}

function* replacedMessage(message: Message, replaced: Replaced): Steps<Message> {
  const content = yield* replacedContent(message.content, replaced)
  if (message.role !== 'assistant') return { ...message, content }
  const { toolCalls, reasoning, refusal } = message
  return {
    ...message,
    content,
    ...(toolCalls && { toolCalls: yield* replacedCalls(toolCalls, replaced) }),
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

function* replacedMessages(messages: readonly Message[], replaced: Replaced): Steps<readonly Message[]> {
  const changed: Message[] = []
  for (const message of messages) changed.push(yield* replacedMessage(message, replaced))
  return changed
}

/**
 * The call with other texts in place of some, wherever they stand in it.
 * @throws GatewayError CONTENT_BLOCKED where one stands in a place that cannot hold another
 */
export function* withTextsOfCall(call: Call, replaced: Replaced): Steps<Call> {
  const { parameters, raw, passthrough } = call
  return {
    ...call,
    messages: yield* replacedMessages(call.messages, replaced),
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
