import type { RawMembers } from '../../llm/types.ts'
import { stringsIn, textOf, withStrings } from '../json-strings.ts'

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

/** Every text that a request's members bring to a model, also in parts of types that the gateway does not know. */
export function* textsInMembers(members: RawMembers): Generator<void, readonly string[]> {
  const texts = new Set<string>()
  for (const [name, json] of members)
    if (TEXT_MEMBERS.has(name))
      for (const found of stringsIn(json)) {
        if (!found) yield
        else if (!NOT_TEXT.has(found.key)) texts.add(textOf(json, found))
      }
  return [...texts]
}

/** The members with other texts in place of some. What is not replaced stays as it is written. */
export function* withTextsInMembers(
  members: RawMembers,
  replaced: ReadonlyMap<string, string>,
): Generator<void, RawMembers> {
  const changed: [string, string][] = []
  for (const [name, json] of members) {
    if (TEXT_MEMBERS.has(name))
      changed.push([
        name,
        yield* withStrings(json, (text, key) => (NOT_TEXT.has(key) ? undefined : replaced.get(text))),
      ])
    else changed.push([name, json])
  }
  return changed
}
