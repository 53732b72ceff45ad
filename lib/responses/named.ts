import { inTurns } from '../loop-turns.ts'
import { scanReferences } from '../vendor-objects/references.ts'
import { itemIdOf, outputOf } from './context.ts'
import type { StoredResponse } from './types.ts'

const objectsIn = async (json: string): Promise<readonly string[]> => {
  if (!json.includes('_id"')) return []
  return (await inTurns(scanReferences(JSON.parse(json)))).map(({ id }) => id)
}

/** The ids of an answer's items, and of the objects at the vendor that these name. */
export const namedIn = async (answer: Pick<StoredResponse, 'response'>): Promise<readonly string[]> => {
  const ids: string[] = []
  for (const json of await outputOf(answer)) {
    const id = itemIdOf(json)
    if (id !== undefined) ids.push(id)
    ids.push(...(await objectsIn(json)))
  }
  return ids
}
