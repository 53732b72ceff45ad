import type { RawMembers } from '../../llm/types.ts'
import type { Steps } from '../../loop-turns.ts'
import { textsIn, withStrings } from '../json-strings.ts'

/** The members of a request, in every format, in which text goes to a model. */
const TEXT_MEMBERS: ReadonlySet<string> = new Set([
  'messages',
  'system',
  'input',
  'instructions',
  'prompt',
  'prediction',
  'query',
  'documents',
])

/** Members of those that hold names, ids, signatures and media, and no text. */
const NOT_TEXT: ReadonlySet<string> = new Set([
  'type',
  'role',
  'id',
  'name',
  'status',
  'call_id',
  'tool_call_id',
  'tool_use_id',
  'file_id',
  'detail',
  'format',
  'media_type',
  'data',
  'url',
  'image_url',
  'file_data',
  'file_url',
  'b64_json',
  'signature',
  'encrypted_content',
  'ttl',
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

type IsText = (key: string) => boolean

/** Which strings of a request's member are text for a model; undefined where none is. */
const textsOfMember = (name: string): IsText | undefined => {
  if (TEXT_MEMBERS.has(name)) return key => !NOT_TEXT.has(key)
  return DEFINING_MEMBERS.has(name) ? isDescribing : undefined
}

/** The texts that a request's members bring to a model, each once. */
export type MemberTexts = Readonly<{
  /** Also those in parts of types that the gateway does not know. */
  content: ReadonlySet<string>
  definitions: ReadonlySet<string>
}>

export function* textsInMembers(members: RawMembers): Steps<MemberTexts> {
  const content = new Set<string>()
  const definitions = new Set<string>()
  for (const [name, json] of members) {
    const isText = textsOfMember(name)
    if (!isText) continue
    const texts = isText === isDescribing ? definitions : content
    for (const text of yield* textsIn(json, isText)) texts.add(text)
  }
  return { content, definitions }
}

/** The members with other texts in place of some. What is not replaced stays as it is written. */
export function* withTextsInMembers(
  members: RawMembers,
  replaced: ReadonlyMap<string, string>,
): Steps<RawMembers> {
  const changed: [string, string][] = []
  for (const [name, json] of members) {
    const isText = textsOfMember(name)
    const written = isText
      ? yield* withStrings(json, (text, key) => (isText(key) ? replaced.get(text) : undefined))
      : json
    changed.push([name, written])
  }
  return changed
}
