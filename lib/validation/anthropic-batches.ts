import { z } from 'zod'
import type { NewItem, V1Request } from '../batch/types.ts'
import { inTurns, turn } from '../loop-turns.ts'
import { scanElements, scanMembers } from '../raw-json.ts'
import { grouped } from './grouped.ts'
import { NO_CONTROL, NO_CONTROL_RULE } from './no-control.ts'
import { check, FaultList, optional, parseOrThrow, withDefault } from './zod.ts'

const USUAL = 20
const MOST = 1_000
const CUSTOM_ID = /^[\w-]{1,64}$/

const count = z.coerce
  .number()
  .refine(
    value => Number.isInteger(value) && value >= 1 && value <= MOST,
    `must be a whole number from 1 to ${grouped(MOST)}`,
  )

const batchId = z.string().regex(NO_CONTROL, NO_CONTROL_RULE)

/** The query of `GET /v1/messages/batches`. Source: Anthropic, "List Message Batches". */
export const messageBatchesQuery = z.object({
  limit: withDefault(count, USUAL),
  after_id: optional(batchId),
  before_id: optional(batchId),
})

const request = z.looseObject({
  custom_id: z.string().regex(CUSTOM_ID, 'must be 1 to 64 letters, digits, - and _'),
  params: z.looseObject({ model: z.string().min(1, 'must not be empty') }),
})

const listOf = (element: z.ZodType, mostItems: number) =>
  z
    .array(element)
    .min(1, 'must not be empty')
    .max(mostItems, `must hold at most ${grouped(mostItems)} requests`)

/** The body of `POST /v1/messages/batches`. Source: Anthropic, "Create a Message Batch". */
export const messageBatchBody = (mostItems: number) => z.looseObject({ requests: listOf(request, mostItems) })

/** The body of `POST /v1/messages/batches` without a look at its requests. */
const outerBody = (mostItems: number) => z.looseObject({ requests: listOf(z.unknown(), mostItems) })

const textOf = async (json: string, name: string): Promise<string> => {
  const members = await inTurns(scanMembers(json))
  return members.find(([member]) => member === name)?.[1] ?? '{}'
}

/**
 * The body of `POST /v1/messages/batches` as items. Their parameters are validated when they run, as Anthropic does.
 * @param json the body's text, as the client sent it
 * @throws GatewayError INVALID_INPUT that names the first faults
 */
export const messageBatchItems = async (
  value: unknown,
  json: string,
  { mostItems, headers }: Readonly<{ mostItems: number; headers: NonNullable<V1Request['headers']> }>,
): Promise<readonly NewItem<V1Request>[]> => {
  const { requests } = parseOrThrow(outerBody(mostItems), value)
  const written = await inTurns(scanElements(await textOf(json, 'requests')))
  const faults = new FaultList()
  const firsts = new Map<string, number>()
  const items: NewItem<V1Request>[] = []
  for (const [index, one] of requests.entries()) {
    await turn()
    const { data, faults: found } = check(request, one, ['requests', index])
    if (found) {
      faults.add(...found)
      continue
    }
    const { custom_id: id, params } = data
    const first = firsts.get(id)
    if (first !== undefined)
      faults.add({ path: `requests[${index}].custom_id`, message: `is that of requests[${first}] too` })
    firsts.set(id, index)
    const paramsJson = await textOf(written[index] ?? '{}', 'params')
    items.push({ id, request: { url: '/v1/messages', model: params.model, json: paramsJson, headers } })
  }
  faults.throwIfAny()
  return items
}
