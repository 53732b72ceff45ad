import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyIdentity } from '../../caller.ts'
import { ADMIN_ID } from '../../caller.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { type Guesses, tooManyGuesses } from '../guesses.ts'
import { AnyKey } from './any-key.ts'
import { CachedLookup } from './cached-lookup.ts'
import { isKeyShaped } from './format.ts'
import { AddressGates, Gate, NotBegun, type Runner } from './gate.ts'
import type { FoundKey, KeyRecord, KeyRecords } from './types.ts'

/**
 * Queries at once, 20 together, and how many may wait for that: those of keys that were found before, which strangers
 * cannot cause; of other credentials; of one address among these; and of addresses that have to wait.
 */
const KNOWN = { atOnce: 8, mostWaiting: 1_000 }
const UNKNOWN = { atOnce: 10, mostWaiting: 1_000 }
const OF_ADDRESS = { atOnce: 10, mostWaiting: 1_000 }
const SUSPECT = { atOnce: 2, mostWaiting: 20 }

export type VerifierDeps = Readonly<{
  records: KeyRecords
  /** The secret of the digests. */
  pepper: string | Uint8Array
  adminToken: string | undefined
  /** Counts wrong credentials by address. */
  guesses: Guesses
  clock: Clock
  /** The clock that all processes on the database share: keys expire by it. */
  shared: Pick<Clock, 'now'>
  /** Called whenever a valid key is used. */
  onUse: (id: string) => void
}>

/** The caller of the admin token. */
export const ADMIN: KeyIdentity = { id: ADMIN_ID, name: 'ADMIN_TOKEN', role: 'admin' }

const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest()

/** The error for unknown, revoked and expired keys alike. */
const notValid = (): GatewayError => new GatewayError('UNAUTHENTICATED', 'This API key is not valid.')

/** The digest of a key, as it is stored. */
export const digestOf = (pepper: string | Uint8Array, key: string): string =>
  createHmac('sha256', pepper).update(key).digest('hex')

/** Decides whose credential it is. Changes made elsewhere are known within five seconds, own ones at once. */
export class KeyVerifier {
  readonly #deps: VerifierDeps
  readonly #byDigest: CachedLookup<FoundKey>
  readonly #byId: CachedLookup<KeyRecord>
  readonly #anyKey: AnyKey
  readonly #addresses = new AddressGates(OF_ADDRESS, new Gate(UNKNOWN))
  readonly #suspects = new Gate(SUSPECT)
  readonly #adminDigest: Uint8Array | undefined

  constructor(deps: VerifierDeps) {
    this.#deps = deps
    const { records, clock, adminToken } = deps
    const gate = new Gate(KNOWN)
    this.#byDigest = new CachedLookup({ query: digest => records.findByDigest(digest), gate, clock })
    this.#byId = new CachedLookup({ query: id => records.findEffective(id), gate, clock })
    this.#anyKey = new AnyKey({ query: () => records.any(), gate, clock })
    this.#adminDigest = adminToken === undefined ? undefined : sha256(adminToken)
  }

  /**
   * The key of a credential. A valid key that is in use is never refused because of wrong ones from its address, which
   * many may share: keys cannot be guessed. The admin token is, since it may be short. While an address has to wait, few
   * of its other credentials are looked up.
   *
   * @throws GatewayError UNAUTHENTICATED for an unknown, revoked or expired one alike; RATE_LIMITED after ten of them in
   * a minute; STORE_UNAVAILABLE where that cannot be known
   */
  async verify(credential: string, address: string): Promise<KeyIdentity> {
    const { guesses } = this.#deps
    if (this.#isAdmin(credential)) {
      this.#assertMayTry(address)
      return ADMIN
    }
    const key = isKeyShaped(credential) ? await this.#activeOf(credential, address) : undefined
    if (key) return this.#used(key)
    this.#assertMayTry(address)
    guesses.wrong(address)
    throw notValid()
  }

  /** The key of a request without its secret, by its id; undefined where there is none, or it is revoked or expired. Rejects with STORE_UNAVAILABLE. */
  async activeById(id: string): Promise<KeyIdentity | undefined> {
    if (id === ADMIN_ID) return this.#adminDigest && ADMIN
    const key = await this.#byId.get(id)
    return key && this.#isActive(key) ? this.#used(key) : undefined
  }

  /** The key of a secret, by its digest, or that of the admin token, by `ADMIN_ID`; as `activeById` otherwise. */
  async activeByDigest(digest: string): Promise<KeyIdentity | undefined> {
    if (digest === ADMIN_ID) return this.#adminDigest && ADMIN
    const key = await this.#activeIn(digest)
    return key && this.#used(key)
  }

  /** Whether there is any key, revoked ones included. Rejects with STORE_UNAVAILABLE. */
  any(): Promise<boolean> {
    return this.#anyKey.get()
  }

  /** Forgets what was looked up, after a change. */
  changed(): void {
    this.#byDigest.clear()
    this.#byId.clear()
    this.#anyKey.changed()
  }

  #used<Key extends KeyIdentity>(key: Key): Key {
    this.#deps.onUse(key.id)
    return key
  }

  #assertMayTry(address: string): void {
    const waitMs = this.#deps.guesses.waitMs(address)
    if (waitMs > 0) throw tooManyGuesses(waitMs)
  }

  async #activeOf(credential: string, address: string): Promise<KeyIdentity | undefined> {
    const hasToWait = this.#deps.guesses.waitMs(address) > 0
    try {
      const gate = hasToWait ? this.#suspects : this.#addresses.of(address)
      return await this.#activeIn(digestOf(this.#deps.pepper, credential), gate)
    } catch (error) {
      if (error instanceof NotBegun) this.#assertMayTry(address)
      throw error
    }
  }

  #isAdmin(credential: string): boolean {
    const sent = sha256(credential)
    return this.#adminDigest !== undefined && timingSafeEqual(sent, this.#adminDigest)
  }

  async #activeIn(digest: string, gate?: Runner): Promise<KeyIdentity | undefined> {
    const found = await this.#byDigest.get(digest, gate)
    if (!found || !timingSafeEqual(Buffer.from(found.digest, 'hex'), Buffer.from(digest, 'hex')))
      return undefined
    const isOver = found.validUntil !== undefined && found.validUntil <= this.#deps.shared.now()
    return !isOver && this.#isActive(found.key) ? found.key : undefined
  }

  #isActive({ revokedAt, expiresAt }: KeyRecord): boolean {
    return revokedAt === undefined && (expiresAt === undefined || expiresAt > this.#deps.shared.now())
  }
}
