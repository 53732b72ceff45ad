import { DAY_MS } from '../clock.ts'
import type { Records } from '../storage/records/records.ts'

export type CostQuery = Readonly<{
  /** Clock times in milliseconds: whole days in UTC. */
  from: number
  to: number
  owner?: string
  keyId?: string
}>

/** What is in the ledger for these days, in whole nanodollars. */
export const costSum = async (records: Records, { from, to, owner, keyId }: CostQuery): Promise<number> => {
  const { sum } = await records.read(db => {
    let query = db
      .selectFrom('ledger_rollups')
      .select(({ fn, ref }) => fn.sum<number | string | null>(ref('cost_nano' as 'span')).as('sum'))
      .where('span', '=', DAY_MS)
      .where('start', '>=', from)
      .where('start', '<', to)
    if (owner !== undefined) query = query.where('owner', '=', owner)
    if (keyId !== undefined) query = query.where('key_id', '=', keyId)
    return query.executeTakeFirstOrThrow()
  })
  return Number(sum ?? 0)
}
