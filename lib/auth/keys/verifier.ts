import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { ADMIN_ID, type KeyIdentity } from '../../request-context.ts'
import { type Guesses, tooManyGuesses } from '../guesses.ts'
import { CachedLookup } from './cached-lookup.ts'
import { isKeyShaped } from './format.ts'
import { Gate } from './gate.ts'
import type { FoundKey, KeyRecord, KeyRecords } from './types.ts'

/** Queries of keys at once, and how many may wait for that. */
const GATE = { atOnce: 20, mostWaiting: 1_000 }
const MOST_KNOWN = 10_000
/** How long the absence of any key is believed. */
const NONE_MS = 2_000

export type VerifierDeps = Readonly<{
  records: KeyRecords
  /** Of the digests. */
  pepper: string | Uint8Array
  adminToken: string | undefined
  /** Counts wrong credentials by address. */
  guesses: Guesses
  clock: Clock
  /** The clock that all processes on the database share: keys expire by it. */
  shared: Pick<Clock, 'now'>
}>

/** The caller of the admin token. */
export const ADMIN: KeyIdentity = { id: ADMIN_ID, name: 'ADMIN_TOKEN', role: 'admin' }

const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest()

/** The same for unknown, revoked and expired keys. */
const notValid = (): GatewayError => new GatewayError('UNAUTHENTICATED', 'This API key is not valid.')

/** The digest of a key, as it is stored. */
export const digestOf = (pepper: string | Uint8Array, key: string): string =>
  createHmac('sha256', pepper).update(key).digest('hex')

/** Decides whose credential it is. Changes made elsewhere are known within five seconds, own ones at once. */
export class KeyVerifier {
  readonly #deps: VerifierDeps
  readonly #byDigest: CachedLookup<FoundKey>
  readonly #byId: CachedLookup<KeyRecord>
  readonly #known = new LRUCache<string, KeyRecord>({ max: MOST_KNOWN })
  readonly #gate = new Gate(GATE)
  readonly #adminDigest: Uint8Array | undefined
  #hasKeys = false
  #noneAt = Number.NEGATIVE_INFINITY

  constructor(deps: VerifierDeps) {
    this.#deps = deps
    const { records, clock, adminToken } = deps
    const gate = this.#gate
    this.#byDigest = new CachedLookup({ query: digest => records.findByDigest(digest), gate, clock })
    this.#byId = new CachedLookup({ query: id => records.findEffective(id), gate, clock })
    this.#adminDigest = adminToken === undefined ? undefined : sha256(adminToken)
  }

  /**
   * The key of a credential. A valid key is never refused because of wrong ones from its address, which many may share:
   * keys cannot be guessed. The admin token is, since it may be short.
   *
   * @throws GatewayError UNAUTHENTICATED for an unknown, revoked or expired one alike; RATE_LIMITED after ten of them in
   * a minute; STORE_UNAVAILABLE where that cannot be known
   */
  async verify(credential: string, address: string): Promise<KeyIdentity> {
    const { guesses } = this.#deps
    if (this.#isAdmin(credential)) {
      const waitMs = guesses.waitMs(address)
      if (waitMs > 0) throw tooManyGuesses(waitMs)
      return ADMIN
    }
    const key = isKeyShaped(credential) ? await this.#active(credential) : undefined
    if (key) return key
    const waitMs = guesses.waitMs(address)
    if (waitMs > 0) throw tooManyGuesses(waitMs)
    guesses.wrong(address)
    throw notValid()
  }

  /** A key by its id; undefined where there is none, or it is revoked or expired. Rejects with STORE_UNAVAILABLE. */
  async activeById(id: string): Promise<KeyIdentity | undefined> {
    if (id === ADMIN_ID) return this.#adminDigest && ADMIN
    const key = await this.#byId.get(id)
    return key && this.#isActive(key) ? this.#remembered(key) : undefined
  }

  /** The key of an id that was verified a moment ago. */
  known(id: string): KeyRecord | undefined {
    return this.#known.get(id)
  }

  /** Whether there is any key, revoked ones included. */
  async any(): Promise<boolean> {
    const { records, clock } = this.#deps
    if (this.#hasKeys || clock.now() - this.#noneAt < NONE_MS) return this.#hasKeys
    try {
      this.#hasKeys = await this.#gate.run(() => records.any())
      this.#noneAt = clock.now()
    } catch (error) {
      // Until it was known once, it may well be.
      if (this.#noneAt === Number.NEGATIVE_INFINITY) throw error
    }
    return this.#hasKeys
  }

  /** Forgets what was looked up, after a change. */
  changed(): void {
    this.#byDigest.clear()
    this.#byId.clear()
    this.#known.clear()
    this.#noneAt = Number.NEGATIVE_INFINITY
  }

  #isAdmin(credential: string): boolean {
    const sent = sha256(credential)
    return this.#adminDigest !== undefined && timingSafeEqual(sent, this.#adminDigest)
  }

  async #active(credential: string): Promise<KeyIdentity | undefined> {
    const digest = digestOf(this.#deps.pepper, credential)
    const found = await this.#byDigest.get(digest)
    if (!found || !timingSafeEqual(Buffer.from(found.digest, 'hex'), Buffer.from(digest, 'hex')))
      return undefined
    const isOver = found.validUntil !== undefined && found.validUntil <= this.#deps.shared.now()
    return !isOver && this.#isActive(found.key) ? this.#remembered(found.key) : undefined
  }

  #isActive({ revokedAt, expiresAt }: KeyRecord): boolean {
    return revokedAt === undefined && (expiresAt === undefined || expiresAt > this.#deps.shared.now())
  }

  #remembered(key: KeyRecord): KeyIdentity {
    this.#known.set(key.id, key)
    return key
  }
}
