import { z } from 'zod'
import { turn } from '../loop-turns.ts'
import { type ItemBody, itemBody, jobFields } from './batch.ts'
import type { ChatLimits } from './chat.ts'
import { grouped } from './grouped.ts'
import { check, FaultList } from './zod.ts'

export type JobLimits = Readonly<{
  /** The limits of one item. */
  item: ChatLimits
  mostItems: number
  /** Clock time, ms. */
  now: number
}>

type Job = Omit<z.output<ReturnType<typeof jobBody>>, 'items'>
type NamedItem = Readonly<{ id: string; request: Omit<ItemBody, 'id'> }>

/** The body without the content of its items. */
const jobBody = ({ mostItems, now }: JobLimits) => jobOf(z.unknown(), mostItems, now)

const jobOf = <Item extends z.ZodType>(item: Item, mostItems: number, now: number) =>
  z.strictObject({
    ...jobFields(now),
    items: z
      .array(item)
      .min(1, 'must not be empty')
      .max(mostItems, `must hold at most ${grouped(mostItems)} items`),
  })

/** The body of `POST /api/batch/jobs` with the schema of its items, as published; `parseJob` checks each. */
export const wholeJobBody = ({ item, mostItems, now }: JobLimits) => jobOf(itemBody(item), mostItems, now)

/** Assigns ids: an item without one gets its number. */
class Ids {
  readonly #firsts = new Map<string, number>()

  /** What is wrong with an id; undefined where it is unique so far. */
  faultOf(id: string, index: number): string | undefined {
    const first = this.#firsts.get(id)
    if (first !== undefined) return `is that of items[${first}] too`
    this.#firsts.set(id, index)
    return undefined
  }
}

/**
 * The body of `POST /api/batch/jobs`. It may hold very many items: they are checked one by one, with turns of the event
 * loop in between.
 * @throws GatewayError INVALID_INPUT that names the first faults.
 */
export const parseJob = async (
  body: unknown,
  limits: JobLimits,
): Promise<Job & Readonly<{ items: readonly NamedItem[] }>> => {
  const faults = new FaultList()
  const job = check(jobBody(limits), body)
  faults.add(...(job.faults ?? []))
  const given = (body as { items?: unknown } | null | undefined)?.items
  const isWithinLimits = Array.isArray(given) && given.length <= limits.mostItems
  const schema = itemBody(limits.item)
  const ids = new Ids()
  const items: NamedItem[] = []
  for (const [index, value] of (isWithinLimits ? given : []).entries()) {
    await turn()
    const item = check(schema, value, ['items', index])
    if (item.faults) {
      faults.add(...item.faults)
      continue
    }
    const { id = `${index + 1}`, ...request } = item.data
    const message = ids.faultOf(id, index)
    if (message !== undefined) faults.add({ path: `items[${index}].id`, message })
    items.push({ id, request })
  }
  faults.throwIfAny()
  const { items: _, ...fields } = job.data as z.output<ReturnType<typeof jobBody>>
  return { ...fields, items }
}
