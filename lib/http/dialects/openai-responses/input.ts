import { inTurns, mapInTurns } from '../../../loop-turns.ts'
import { memberIn, membersOf, objectOf, scanElements } from '../../../raw-json.ts'
import type { ResponseContext } from '../../../responses/types.ts'
import {
  type OpenAiInputItem,
  type OpenAiResponsesBody,
  openAiInputItem,
} from '../../../validation/openai-responses.ts'
import { check } from '../../../validation/zod.ts'
import { sealedIn } from './messages.ts'

type Members = ReturnType<typeof membersOf>

const isReference = ({ type }: OpenAiInputItem): boolean => type === 'item_reference'

/** The ids of the items that a request refers to. */
export const referencedItems = ({ input }: OpenAiResponsesBody): readonly string[] =>
  typeof input === 'object' ? input.flatMap(item => (isReference(item) ? [item.id ?? ''] : [])) : []

const userMessage = (text: string): OpenAiInputItem => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
})

/** The same, with the text as it was written: it may be long. */
const userMessageJson = (text: string): string =>
  `{"type":"message","role":"user","content":[{"type":"input_text","text":${text}}]}`

/** A request's own items, one by one: its JSON, as it was sent and as it is used, with a reference's item in its place. */
type OwnItem = Readonly<{ item: OpenAiInputItem | undefined; json: string }>

const ownItems = async (
  { input = [] }: OpenAiResponsesBody,
  written: string,
  { items }: ResponseContext,
): Promise<readonly OwnItem[]> => {
  if (typeof input === 'string') {
    return [{ item: userMessage(input), json: userMessageJson(written) }]
  }
  return mapInTurns(await inTurns(scanElements(written)), (json, index): OwnItem => {
    const item = input[index]
    return { item, json: (item && isReference(item) && items.get(item.id ?? '')) || json }
  })
}

/** The items of a JSON text; none where it is not of a known form. */
const itemOf = (json: string): readonly OpenAiInputItem[] => {
  const { data } = check(openAiInputItem, JSON.parse(json))
  return data ? [data] : []
}

const OF_ITS_ANSWER: ReadonlySet<string> = new Set(['id', 'status'])

/** An item of an earlier answer for a provider that did not write it: without its id, and no reasoning at all. */
const portable = (json: string): readonly string[] => {
  const members = membersOf(json)
  if (members.some(([name, value]) => name === 'type' && value === '"reasoning"')) return []
  return [objectOf(members.filter(([name]) => !OF_ITS_ANSWER.has(name)))]
}

/** Ids that the gateway makes, of a random UUID and the item's place. */
const OWN_REASONING = /^rs_[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}\d{2,3}$/

/** Reasoning that the gateway wrote of a translated answer: no vendor that has Responses can read it. */
const isOwnReasoning = ({ type, id = '', encrypted_content: encrypted }: OpenAiInputItem): boolean =>
  type === 'reasoning' && (sealedIn(encrypted) !== undefined || OWN_REASONING.test(id))

/** A request without the gateway's own reasoning among its items; the same one where it has none. */
const withoutOwnReasoning = async (
  { input }: OpenAiResponsesBody,
  members: Members,
  written: string,
): Promise<Members> => {
  if (typeof input !== 'object' || !input.some(isOwnReasoning)) return members
  const all = await inTurns(scanElements(written))
  const kept = all.filter((_, index) => {
    const item = input[index]
    return !item || !isOwnReasoning(item)
  })
  return members.map(([name, value]) => [name, name === 'input' ? `[${kept.join()}]` : value])
}

const withInput = (members: Members, items: readonly string[]): Members => [
  ...members.filter(([name]) => name !== 'input' && name !== 'previous_response_id'),
  ['input', `[${items.join()}]`],
]

export type RequestInput = Readonly<{
  /** All items of its context, and then its own. */
  items: readonly OpenAiInputItem[]
  /** JSON of its own items. */
  own: string
  /** The request for a vendor that reads items itself. */
  members: Members
  /** The request without references; absent where it has none, or not all are known. */
  resolved?: Members
}>

/** What a request says, together with the stored answers that it refers to: these may be long. */
export const inputOf = async (
  body: OpenAiResponsesBody,
  members: Members,
  context: ResponseContext,
): Promise<RequestInput> => {
  const { earlier, responseIds, missing } = context
  const { input = [] } = body
  const written = memberIn(members, 'input') ?? '[]'
  const readable = await withoutOwnReasoning(body, members, written)
  // The usual request is not taken apart: it may be long.
  if (typeof input === 'object' && responseIds.length === 0)
    return {
      items: input.filter(item => !isReference(item)),
      own: written.startsWith('[') ? written : '[]',
      members: readable,
    }

  const own = await ownItems(body, written, context)
  const isResolved = responseIds.length > 0 && !missing
  const before = await mapInTurns(earlier, itemOf)
  const said = await mapInTurns(own, ({ item, json }) => (item && !isReference(item) ? [item] : itemOf(json)))
  const portableBefore = isResolved ? await mapInTurns(earlier, portable) : []
  const sent = isResolved
    ? await mapInTurns(own, ({ item, json }) => {
        if (item && isOwnReasoning(item)) return []
        return item && isReference(item) ? portable(json) : [json]
      })
    : []
  return {
    items: [...before.flat(), ...said.flat().filter(item => !isReference(item))],
    own: `[${own.map(({ json }) => json).join()}]`,
    members: readable,
    ...(isResolved && { resolved: withInput(members, [...portableBefore, ...sent].flat()) }),
  }
}
