import { type Caller, ownerOf } from '../caller.ts'
import { type Clock, DAY_MS } from '../clock.ts'
import { GatewayError, storageFull } from '../errors.ts'
import { InOrder } from './in-order.ts'
import type { KeyPage, KvLimits, KvRecords, KvTerms } from './types.ts'

/** The longest value, as it is sent. */
export const MAX_VALUE_BYTES = 1_048_576

/** What a caller with a key may store. */
const OF_KEY: KvLimits = { entries: 1_000, bytes: 67_108_864 }
/** What a guest or an address may store: anyone can be many of them for free. */
const WITHOUT_KEY: KvLimits = { entries: 100, bytes: 4_194_304 }
/** Values of callers without a key end so long after the last one was stored, as guest sessions do. */
const KEPT_WITHOUT_KEY_MS = 30 * DAY_MS

export type KvDeps = Readonly<{
  records: KvRecords
  /** The clock that all processes on the database share. */
  clock: Pick<Clock, 'now'>
}>

const ownerOrThrow = (caller: Caller): string => {
  const owner = ownerOf(caller)
  if (owner !== undefined) return owner
  throw new GatewayError('FORBIDDEN', 'The caller could not be identified, so the value would have no owner.')
}

const noSuchKey = (): GatewayError => new GatewayError('NOT_FOUND', 'There is no value under this key.')

const full = ({ entries, bytes }: KvLimits): GatewayError =>
  storageFull(
    `You may store at most ${entries.toLocaleString('en')} keys and ${bytes.toLocaleString('en')} bytes together; delete some.`,
  )

/** JSON values that callers store under keys of their own. Each caller sees its own alone. */
export class KvService {
  readonly #records: KvRecords
  readonly #clock: KvDeps['clock']
  /** Writes of one owner wait for each other: here rather than each with a connection to the database. */
  readonly #writes = new InOrder()

  constructor({ records, clock }: KvDeps) {
    this.#records = records
    this.#clock = clock
  }

  /** The value as its text was stored. @throws GatewayError NOT_FOUND */
  async get(caller: Caller, key: string): Promise<string> {
    const value = await this.#records.get(ownerOrThrow(caller), key)
    if (value === undefined) throw noSuchKey()
    return value
  }

  /**
   * Stores a valid JSON text; the last one under a key wins.
   * @throws GatewayError QUOTA_EXCEEDED where the owner has no room for it
   */
  async put(caller: Caller, key: string, value: string): Promise<'created' | 'replaced'> {
    const owner = ownerOrThrow(caller)
    const terms = this.#termsOf(caller)
    const stored = await this.#writes.run(owner, () => this.#records.put(owner, key, value, terms))
    if (stored === 'full') throw full(terms)
    return stored
  }

  /** @throws GatewayError NOT_FOUND */
  async remove(caller: Caller, key: string): Promise<void> {
    const owner = ownerOrThrow(caller)
    const removed = await this.#writes.run(owner, () => this.#records.remove(owner, key))
    if (!removed) throw noSuchKey()
  }

  /** The caller's keys, one page. */
  async list(
    caller: Caller,
    options: Readonly<{ after?: string | undefined; limit: number }>,
  ): Promise<KeyPage> {
    return this.#records.list(ownerOrThrow(caller), options)
  }

  #termsOf({ kind }: Caller): KvTerms {
    return kind === 'key' ? OF_KEY : { ...WITHOUT_KEY, expiresAt: this.#clock.now() + KEPT_WITHOUT_KEY_MS }
  }
}
