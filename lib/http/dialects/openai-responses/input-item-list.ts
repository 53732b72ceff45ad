import type { InputItemsQuery } from '../../../validation/openai-responses.ts'
import { invalidInput } from '../../../validation/zod.ts'

type Item = Readonly<{ id: string } & Record<string, unknown>>

/** Clients send items without ids; each gets one from its position, which never changes. */
const withId = (json: string, index: number, responseId: string): Item => {
  const item = JSON.parse(json)
  const id = typeof item.id === 'string' ? item.id : `item_${responseId.replace(/^resp_/, '')}${index}`
  return { type: 'message', ...item, id }
}

/**
 * A page of the items of a response's context. Source: OpenAI, "List input items".
 * @param items JSON of each, the oldest first
 * @throws GatewayError INVALID_INPUT for an unknown `after`, with which a client would begin anew
 */
export const inputItemList = (
  items: readonly string[],
  responseId: string,
  { limit, order, after }: InputItemsQuery,
): object => {
  const inOrder = items.map((json, index) => withId(json, index, responseId))
  if (order === 'desc') inOrder.reverse()
  const from = after === undefined ? 0 : inOrder.findIndex(({ id }) => id === after) + 1
  if (after !== undefined && from === 0)
    throw invalidInput([{ path: 'after', message: 'is the id of no item of this response' }])
  const data = inOrder.slice(from, from + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + limit < inOrder.length,
  }
}
