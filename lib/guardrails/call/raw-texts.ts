import { GatewayError } from '../../errors.ts'
import type { RawMembers } from '../../llm/types.ts'
import { writeJson } from '../../long-json.ts'
import { LONG_STEP, type Steps } from '../../loop-turns.ts'
import { isJson, withStrings } from '../json-strings.ts'
import { type Reading, type RequestValue, requestValues, textOfValue } from './request-values.ts'

/** What stands in place of texts, by the text. */
export type Replaced = ReadonlyMap<string, string>

/** The members of a request, in every format, in which text goes to a model. */
const TEXT_MEMBERS: ReadonlySet<string> = new Set([
  'messages',
  'system',
  'input',
  'instructions',
  'prompt',
  'negative_prompt',
  'suffix',
  'prediction',
  'query',
])

/** Likewise, but that its own members have names of the client's choice: a model reads them all. */
const DOCUMENTS = 'documents'

/** Members of those that hold the words of a format, and ids. */
const NAMES: ReadonlySet<string> = new Set([
  'type',
  'role',
  'id',
  'status',
  'call_id',
  'tool_call_id',
  'tool_use_id',
  'file_id',
  'detail',
  'format',
  'media_type',
  'ttl',
])

/** Further ones that are not read as text: names, signatures and media. */
const NOT_TEXT: ReadonlySet<string> = new Set([
  ...NAMES,
  'name',
  'data',
  'url',
  'image_url',
  'file_data',
  'file_url',
  'b64_json',
  'signature',
  'encrypted_content',
])

/** The members that define tools and the form of an answer. */
const DEFINING_MEMBERS: ReadonlySet<string> = new Set([
  'tools',
  'functions',
  'response_format',
  'text',
  'output_config',
  'output_format',
])

/** What a model reads of definitions: beside it they hold names, types, addresses and credentials of services. */
const DESCRIBING: ReadonlySet<string> = new Set([
  'description',
  'server_description',
  'title',
  'definition',
  'enum',
  'const',
  'default',
  'examples',
])

/** Whether a string of a definition, by the name of its member, is text for a model. */
export const isDescribing = (key: string): boolean => DESCRIBING.has(key)

const CONTENT: Reading = { isText: key => !NOT_TEXT.has(key), hasToolInputs: true }
const ALL: Reading = { isText: () => true, hasToolInputs: false }
const DEFINITIONS: Reading = { isText: isDescribing, hasToolInputs: false }

/** How a request's member is read; undefined where no text of it goes to a model. */
const readingOf = (name: string): Reading | undefined => {
  if (TEXT_MEMBERS.has(name)) return CONTENT
  if (name === DOCUMENTS) return ALL
  return DEFINING_MEMBERS.has(name) ? DEFINITIONS : undefined
}

/** The texts that a request's members bring to a model, each once. */
export type MemberTexts = Readonly<{
  /** Also those in parts of types that the gateway does not know. */
  content: ReadonlySet<string>
  definitions: ReadonlySet<string>
  /** JSON, as it is written. */
  toolInputs: ReadonlySet<string>
}>

export function* textsInMembers(members: RawMembers): Steps<MemberTexts> {
  const texts = { content: new Set<string>(), definitions: new Set<string>(), toolInputs: new Set<string>() }
  for (const [name, json] of members) {
    const reading = readingOf(name)
    if (!reading) continue
    const strings = reading === DEFINITIONS ? texts.definitions : texts.content
    for (const value of requestValues(json, reading)) {
      if (typeof value !== 'object') yield value
      else if (value.kind === 'text') strings.add(yield* textOfValue(json, value))
      else if (value.kind === 'tool-input') texts.toolInputs.add(json.slice(value.start, value.end))
    }
  }
  return texts
}

/** What was found stands where nothing can stand in its place: it must not leave as if it were replaced. */
const irreplaceable = (): GatewayError =>
  new GatewayError('CONTENT_BLOCKED', 'The guardrails found a text in a place where it cannot be replaced.')

/** A value with others in place of some; undefined where it stays as it is written. */
function* replacedValue(json: string, value: RequestValue, replaced: Replaced): Steps<string | undefined> {
  if (value.kind === 'tool-input') return yield* replacedInput(json.slice(value.start, value.end), replaced)
  const text = yield* textOfValue(json, value)
  const replacement = replaced.get(text)
  if (replacement === undefined) return undefined
  if (value.kind === 'text') return yield* writeJson(replacement)
  if (NAMES.has(value.key)) return undefined
  throw irreplaceable()
}

/** The input of a tool: its numbers were looked at as they are written, and as JavaScript writes them. */
function* replacedInput(json: string, replaced: Replaced): Steps<string> {
  if (json.length > LONG_INPUT) yield LONG_STEP
  const whole = replaced.get(json) ?? replaced.get(JSON.stringify(JSON.parse(json)))
  if (whole !== undefined) assertJson(whole)
  return yield* withStrings(whole ?? json, text => replaced.get(text))
}

/** A longer input takes a turn of the event loop to be parsed. */
const LONG_INPUT = 65_536

/** Throws CONTENT_BLOCKED where what was replaced has left no JSON. */
export const assertJson = (text: string): void => {
  if (!isJson(text)) throw irreplaceable()
}

function* replacedMember(json: string, reading: Reading, replaced: Replaced): Steps<string> {
  let written = ''
  let from = 0
  for (const value of requestValues(json, reading)) {
    if (typeof value !== 'object') {
      yield value
      continue
    }
    // A string of a definition that is no text for a model was not looked at.
    if (value.kind === 'other' && reading === DEFINITIONS) continue
    const replacement = yield* replacedValue(json, value, replaced)
    if (replacement === undefined) continue
    written += json.slice(from, value.start) + replacement
    from = value.end
  }
  return written + json.slice(from)
}

/**
 * The members with other texts in place of some. What is not replaced stays as it is written.
 * @throws GatewayError CONTENT_BLOCKED where one of them stands in a place that cannot hold another
 */
export function* withTextsInMembers(members: RawMembers, replaced: Replaced): Steps<RawMembers> {
  const changed: [string, string][] = []
  for (const [name, json] of members) {
    const reading = readingOf(name)
    changed.push([name, reading ? yield* replacedMember(json, reading, replaced) : json])
  }
  return changed
}
