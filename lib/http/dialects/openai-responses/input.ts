import { elementsOf, membersOf, objectOf } from '../../../raw-json.ts'
import type { ResponseContext } from '../../../responses/types.ts'
import { check } from '../../../validation/faults.ts'
import {
  type OpenAiInputItem,
  type OpenAiResponsesBody,
  openAiInputItem,
} from '../../../validation/openai-responses.ts'

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

/** JSON of a request's own items, with those that it refers to in place of the references. */
const ownItems = (
  { input = [] }: OpenAiResponsesBody,
  members: Members,
  { items }: ResponseContext,
): readonly string[] => {
  if (typeof input === 'string') return [JSON.stringify(userMessage(input))]
  const [, written = '[]'] = members.find(([name]) => name === 'input') ?? []
  const texts = input.length === 0 ? [] : elementsOf(written)
  return texts.map((json, index) => {
    const item = input[index]
    return (item && isReference(item) && items.get(item.id ?? '')) || json
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

const withInput = (members: Members, items: readonly string[]): Members => [
  ...members.filter(([name]) => name !== 'input' && name !== 'previous_response_id'),
  ['input', `[${items.join()}]`],
]

export type RequestInput = Readonly<{
  /** All items of its context, and then its own. */
  items: readonly OpenAiInputItem[]
  /** JSON of its own items. */
  own: string
  /** The request without references; absent where it has none, or not all are known. */
  resolved?: Members
}>

/** What a request says, together with the stored answers that it refers to. */
export const inputOf = (
  body: OpenAiResponsesBody,
  members: Members,
  context: ResponseContext,
): RequestInput => {
  const own = ownItems(body, members, context)
  const { earlier, items, responseIds, missing } = context
  const sent = typeof body.input === 'object' ? body.input : undefined
  const parsed = sent
    ? sent.flatMap(item => {
        const json = isReference(item) ? items.get(item.id ?? '') : undefined
        return json === undefined ? [item] : itemOf(json)
      })
    : own.flatMap(itemOf)
  const isResolved = responseIds.length > 0 && !missing
  const portableOwn = own.flatMap((json, index) =>
    sent?.[index] && isReference(sent[index]) ? portable(json) : [json],
  )
  return {
    items: [...earlier.flatMap(itemOf), ...parsed.filter(item => !isReference(item))],
    own: `[${own.join()}]`,
    ...(isResolved && { resolved: withInput(members, [...earlier.flatMap(portable), ...portableOwn]) }),
  }
}
