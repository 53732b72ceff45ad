import { readJsonString, writeJson } from '../../long-json.ts'
import type { Steps } from '../../loop-turns.ts'
import { memberIn, objectOf, scanElements, scanMembers } from '../../raw-json.ts'

/** Members that hold names, and no text of an answer. */
const NAMES: ReadonlySet<string> = new Set([
  'id',
  'object',
  'type',
  'model',
  'task',
  'language',
  'finish_reason',
  'system_fingerprint',
])
/** Members that say a text once more, word by word. */
const WORDS: ReadonlySet<string> = new Set(['word', 'token'])
/** Lists that say a text once more, as numbers or as the names of members. */
const CODES: ReadonlySet<string> = new Set(['tokens', 'bytes', 'top_logprobs'])
/** What a client has sent in: its members have names of the client's own. */
const DOCUMENT = 'document'

/** A string of a body. Those of one group, in order, are one text; a word repeats a part of another text. */
export type JsonPiece = Readonly<{ group: string; isWord: boolean; text: string }>

/** Where a value stands: the group of its strings, and the member that it belongs to. */
type Location = Readonly<{ group: string; member: string; isDocument: boolean }>

export type PieceChanges = Readonly<{
  /** What takes the place of a piece; undefined where it stays. */
  piece: (piece: JsonPiece) => string | undefined
  /** Whether lists of codes are emptied, which would reveal what has been replaced. */
  emptiesCodes: boolean
}>

function* changedString(
  json: string,
  { group, member, isDocument }: Location,
  { piece }: PieceChanges,
): Steps<string> {
  if (!isDocument && NAMES.has(member)) return json
  const text = yield* readJsonString(json.slice(1, -1))
  const changed = piece({ group, isWord: !isDocument && WORDS.has(member), text })
  return changed === undefined ? json : yield* writeJson(changed)
}

function* changedList(json: string, at: Location, changes: PieceChanges): Steps<string> {
  if (changes.emptiesCodes && !at.isDocument && CODES.has(at.member)) return '[]'
  const elements = yield* scanElements(json)
  const changed: string[] = []
  for (const element of elements) changed.push(yield* withPieces(element, at, changes))
  return changed.some((element, index) => element !== elements[index]) ? `[${changed.join()}]` : json
}

function* changedObject(json: string, at: Location, changes: PieceChanges): Steps<string> {
  const members = yield* scanMembers(json)
  const index = memberIn(members, 'index')
  const group = index === undefined ? at.group : `${at.group} ${index}`
  const changed: [string, string][] = []
  for (const [member, value] of members) {
    const location = { group: `${group}/${member}`, member, isDocument: at.isDocument || member === DOCUMENT }
    changed.push([member, yield* withPieces(value, location, changes)])
  }
  return changed.some(([, value], position) => value !== members[position]?.[1]) ? objectOf(changed) : json
}

/**
 * A JSON text with other strings in place of some; everything else stays as it is written.
 * @param json without space around it
 */
function* withPieces(json: string, at: Location, changes: PieceChanges): Steps<string> {
  if (json.startsWith('"')) return yield* changedString(json, at, changes)
  if (json.startsWith('[')) return yield* changedList(json, at, changes)
  return json.startsWith('{') ? yield* changedObject(json, at, changes) : json
}

/** @param kind what is said by strings of the same kind alone is one text */
export const changedPieces = (json: string, kind: string, changes: PieceChanges): Steps<string> =>
  withPieces(json.trim(), { group: kind, member: '', isDocument: false }, changes)
