import type { Fault } from '../errors.ts'
import { turn } from '../loop-turns.ts'
import { type ItemBody, itemBody, jobEnvelope } from './batch.ts'
import type { ChatLimits } from './chat.ts'
import { faultsOf, invalidInput } from './faults.ts'

/** So many faults are kept of all that are counted: more are told to nobody. */
const MOST_KEPT = 100

class Faults {
  readonly #kept: Fault[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  add(faults: readonly Fault[]): void {
    this.#count += faults.length
    for (const fault of faults) if (this.#kept.length < MOST_KEPT) this.#kept.push(fault)
  }

  throwIfAny(): void {
    if (this.#count > 0) throw invalidInput(this.#kept, this.#count)
  }
}

type Named = Readonly<{ id: string; request: Omit<ItemBody, 'id'> }>

/** Items without a name are called by their place. */
const named = ({ id, ...request }: ItemBody, index: number): Named => ({ id: id ?? `${index + 1}`, request })

const itemsIn = async (values: readonly unknown[], limits: ChatLimits, faults: Faults): Promise<Named[]> => {
  const schema = itemBody(limits)
  const items: Named[] = []
  for (const [index, value] of values.entries()) {
    await turn()
    const parsed = schema.safeParse(value, { reportInput: true })
    if (parsed.success) items.push(named(parsed.data, index))
    else
      faults.add(
        parsed.error.issues.flatMap(issue => faultsOf({ ...issue, path: ['items', index, ...issue.path] })),
      )
  }
  return items
}

/** @throws GatewayError INVALID_INPUT for items of one name */
const assertDifferent = async (items: readonly Named[]): Promise<void> => {
  const seen = new Map<string, number>()
  const faults = new Faults()
  for (const [index, { id }] of items.entries()) {
    await turn()
    const first = seen.get(id)
    if (first === undefined) seen.set(id, index)
    else faults.add([{ path: `items[${index}].id`, message: `is that of items[${first}] too` }])
  }
  faults.throwIfAny()
}

/**
 * The body of `POST /api/batch/jobs`: what the job is to be, and its items, each with its name. Tens of thousands of
 * items are looked at in turns with all else that happens.
 * @throws GatewayError INVALID_INPUT that names every fault
 */
export const jobOrThrow = async (body: unknown, limits: ChatLimits, mostItems: number, now: number) => {
  const envelope = jobEnvelope(mostItems, now).safeParse(body, { reportInput: true })
  const issues = envelope.error?.issues ?? []
  const values = (body as { items?: unknown } | null)?.items
  const canBeLookedAt = Array.isArray(values) && !issues.some(({ path }) => path[0] === 'items')
  const faults = new Faults()
  // In the order of the fields: those that are in no request come last.
  faults.add(issues.filter(({ code }) => code !== 'unrecognized_keys').flatMap(faultsOf))
  const items = canBeLookedAt ? await itemsIn(values, limits, faults) : []
  faults.add(issues.filter(({ code }) => code === 'unrecognized_keys').flatMap(faultsOf))
  if (!envelope.success || faults.count > 0) {
    faults.throwIfAny()
    throw envelope.error
  }
  await assertDifferent(items)
  const { items: _, ...job } = envelope.data
  return { ...job, items }
}
