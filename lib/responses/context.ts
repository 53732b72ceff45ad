import type { GatewayError } from '../errors.ts'
import { inTurns, turn } from '../loop-turns.ts'
import { memberIn, memberOf, scanElements, scanMembers } from '../raw-json.ts'
import { itemNotFound, previousNotFound } from './errors.ts'
import type { References, ResponseContext, ResponseRecords, StoredResponse } from './types.ts'

export const NO_CONTEXT: ResponseContext = { earlier: [], items: new Map(), responseIds: [] }

/** No statement takes more parameters than this. */
const MOST_IDS = 1_000
/** Ids are compared with those in the records, where not every character can stand. */
const PLAIN_ID = /^[\x21-\x7e]{1,256}$/

export const isPlainId = (id: string): boolean => PLAIN_ID.test(id)

/** JSON of the items of an answer. */
export const outputOf = async ({
  response,
}: Pick<StoredResponse, 'response'>): Promise<readonly string[]> => {
  const output = memberIn(await inTurns(scanMembers(response)), 'output')
  return output?.startsWith('[') ? inTurns(scanElements(output)) : []
}

/** JSON of the items of an answer's request. */
export const inputOf = ({ input }: StoredResponse): Promise<readonly string[]> => inTurns(scanElements(input))

/** The id of an item's JSON. */
export const itemIdOf = (json: string): string | undefined => {
  const id = memberOf(json, 'id')
  return id?.startsWith('"') ? JSON.parse(id) : undefined
}

/** JSON of the items of a chain of answers, requests and answers in turn. */
export const itemsOfChain = async (chain: readonly StoredResponse[]): Promise<readonly string[]> => {
  const items: string[] = []
  for (const stored of chain) {
    await turn()
    for (const json of await inputOf(stored)) items.push(json)
    for (const json of await outputOf(stored)) items.push(json)
  }
  return items
}

const itemsById = async (holders: readonly StoredResponse[], wanted: ReadonlySet<string>) => {
  const items = new Map<string, string>()
  for (const stored of holders) {
    await turn()
    for (const json of await outputOf(stored)) {
      const id = itemIdOf(json)
      if (id !== undefined && wanted.has(id)) items.set(id, json)
    }
  }
  return items
}

/** The answers of an owner that hold any of these ids. */
export const holdersOf = async (
  records: ResponseRecords,
  owner: string,
  ids: readonly string[],
  now: number,
): Promise<readonly StoredResponse[]> => {
  const wanted = [...new Set(ids)].filter(isPlainId)
  const found: StoredResponse[] = []
  for (let from = 0; from < wanted.length; from += MOST_IDS)
    found.push(...(await records.holding(owner, wanted.slice(from, from + MOST_IDS), now)))
  return found
}

/** The error for the first reference to what is not stored; undefined where there is none. */
export const unknownReference = (
  { previousId, itemIds }: References,
  chain: readonly StoredResponse[] = [],
  items: ReadonlyMap<string, string> = new Map(),
): GatewayError | undefined => {
  if (previousId !== undefined && chain.length === 0) return previousNotFound(previousId)
  const item = itemIds.find(id => !items.has(id))
  return item === undefined ? undefined : itemNotFound(item)
}

const providerOf = (stored: readonly StoredResponse[]): string | undefined => {
  const providers = new Set(stored.map(({ provider }) => provider))
  return providers.size === 1 ? [...providers][0] : undefined
}

/**
 * Looks up what a request refers to among the owner's stored answers. All callers share the gateway's account at a
 * provider: an id that is not the owner's here may be another's there.
 * @throws GatewayError where it refers to anything else.
 */
export const contextOf = async (
  records: ResponseRecords,
  owner: string,
  references: References,
  now: number,
): Promise<ResponseContext> => {
  const { previousId, itemIds } = references
  const chain =
    previousId !== undefined && isPlainId(previousId) ? await records.chain(owner, previousId, now) : []
  const holders = await holdersOf(records, owner, itemIds, now)
  const items = await itemsById(holders, new Set(itemIds))
  const unknown = unknownReference(references, chain, items)
  if (unknown) throw unknown
  const before = chain[0]?.previousId
  const used = [...chain, ...holders]
  const knownTo = providerOf(used)
  return {
    earlier: await itemsOfChain(chain),
    items,
    responseIds: [...new Set(used.map(({ id }) => id))],
    ...(knownTo !== undefined && { knownTo }),
    ...(before !== undefined && { missing: previousNotFound(before) }),
  }
}
