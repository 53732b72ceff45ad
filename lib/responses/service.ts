import { type Caller, ownerOf } from '../caller.ts'
import type { Clock } from '../clock.ts'
import { mapInTurns } from '../loop-turns.ts'
import {
  contextOf,
  holdersOf,
  inputOf,
  isPlainId,
  itemsOfChain,
  NO_CONTEXT,
  unknownReference,
} from './context.ts'
import { responseNotFound } from './errors.ts'
import { namedIn } from './named.ts'
import type { References, ResponseContext, ResponseRecords, StoredResponse } from './types.ts'

export type ResponseServiceDeps = Readonly<{
  /** Absent where the gateway has no database, or is to keep no answers. */
  records: ResponseRecords | undefined
  clock: Clock
  /** How long an answer is kept. */
  keepMs: number
  /** Most characters of all answers of one caller. */
  mostCharacters: number
  /** Called with each answer that could not be stored. */
  onNotStored: (id: string, error: unknown) => void
}>

/** A complete answer, to be stored. */
export type CompletedResponse = Readonly<{
  id: string
  previousId?: string | undefined
  provider?: string | undefined
  input: string
  response: string
  contextIds: readonly string[]
}>

/** The answers that callers can refer to in later requests. Each caller has its own. */
export class ResponseService {
  readonly #deps: ResponseServiceDeps

  constructor(deps: ResponseServiceDeps) {
    this.#deps = deps
  }

  /** Whether this caller's answers are kept. A caller of an unknown address has none. */
  keepsAnswersOf(caller: Caller): boolean {
    return this.#deps.records !== undefined && ownerOf(caller) !== undefined
  }

  /** What a request refers to. Throws where that is no stored answer of this caller. */
  async context(caller: Caller, references: References): Promise<ResponseContext> {
    const { records, clock } = this.#deps
    const unknown = unknownReference(references)
    if (!unknown) return NO_CONTEXT
    const owner = ownerOf(caller)
    if (!records || owner === undefined) throw unknown
    return contextOf(records, owner, references, clock.now())
  }

  /**
   * Stores an answer, unless it is longer than all of its owner's may be together. Resolves with whether it is stored,
   * and never rejects: the answer is worth more.
   */
  async keep(caller: Caller, { previousId, provider, ...answer }: CompletedResponse): Promise<boolean> {
    const { records, clock, keepMs, mostCharacters, onNotStored } = this.#deps
    const owner = ownerOf(caller)
    const isTooLong = answer.input.length + answer.response.length > mostCharacters
    if (!records || owner === undefined || !isPlainId(answer.id) || isTooLong) return false
    const now = clock.now()
    const ids = await namedIn(answer)
    try {
      await records.store({
        ...answer,
        owner,
        createdAt: now,
        expiresAt: now + keepMs,
        itemIds: ids.filter(isPlainId),
        mostCharacters,
        ...(previousId !== undefined && isPlainId(previousId) && { previousId }),
        ...(provider !== undefined && { provider }),
      })
      return true
    } catch (error) {
      onNotStored(answer.id, error)
      return false
    }
  }

  /** The ids that name something in this caller's answers: an item, or an object at the vendor. */
  async ownIds(caller: Caller, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const { records, clock } = this.#deps
    const owner = ownerOf(caller)
    if (!records || owner === undefined) return new Set()
    const holders = await holdersOf(records, owner, ids, clock.now())
    const named = new Set((await mapInTurns(holders, namedIn)).flat())
    return new Set(ids.filter(id => named.has(id)))
  }

  /** JSON of an answer. Throws NOT_FOUND. */
  async find(caller: Caller, id: string): Promise<string> {
    return (await this.#found(caller, id)).response
  }

  /** JSON of the items of an answer's context, the oldest first. Throws NOT_FOUND. */
  async inputItems(caller: Caller, id: string): Promise<readonly string[]> {
    const { records, clock } = this.#deps
    const stored = await this.#found(caller, id)
    const { previousId } = stored
    const chain =
      records && previousId !== undefined ? await records.chain(stored.owner, previousId, clock.now()) : []
    return [...(await itemsOfChain(chain)), ...(await inputOf(stored))]
  }

  /** Removes an answer. Throws NOT_FOUND. */
  async remove(caller: Caller, id: string): Promise<void> {
    const { records } = this.#deps
    const owner = ownerOf(caller)
    const isRemoved = records && owner !== undefined && isPlainId(id) && (await records.remove(owner, id))
    if (!isRemoved) throw responseNotFound(id)
  }

  async #found(caller: Caller, id: string): Promise<StoredResponse> {
    const { records, clock } = this.#deps
    const owner = ownerOf(caller)
    const isKnown = records && owner !== undefined && isPlainId(id)
    const stored = isKnown ? await records.find(owner, id, clock.now()) : undefined
    if (!stored) throw responseNotFound(id)
    return stored
  }
}
