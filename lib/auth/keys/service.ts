import { randomBytes } from 'node:crypto'
import type { KeyIdentity } from '../../caller.ts'
import { ADMIN_ID } from '../../caller.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { displayPrefix, newKey } from './format.ts'
import { exceeding, MOST_MAKERS, withMakersRestrictions } from './restrict.ts'
import type {
  KeyChange,
  KeyPage,
  KeyRecord,
  KeyRecorder,
  KeyRecords,
  KeySecret,
  KeySettings,
} from './types.ts'
import { digestOf } from './verifier.ts'

export type KeyServiceDeps = Readonly<{
  records: KeyRecords
  /** The secret of the digests. */
  pepper: string | Uint8Array
  /** The clock that all processes on the database share. */
  clock: Pick<Clock, 'now'>
  /** Called when keys have changed. */
  onChange: () => void
  /** The latest use of a key, which may not be stored yet; undefined where it is not known. */
  lastUse: (id: string) => number | undefined
}>

/** A key with its secret, which is not stored and cannot be shown again. */
export type MadeKey = Readonly<{ key: KeyRecord; secret: string }>

/** Everyone's keys, or those of one member. */
export type Acting = Readonly<{ all: true } | { member: KeyIdentity }>

const ID = /^key_[\da-f]{24}$/
const ID_BYTES = 12

const noSuchKey = (): GatewayError => new GatewayError('NOT_FOUND', 'There is no such API key.')

const NOT_RECORDED: KeyRecorder = async () => {}

const tooManyMakers = (): GatewayError =>
  new GatewayError(
    'FORBIDDEN',
    `Keys can be made by keys at most ${MOST_MAKERS} times in a row: this one cannot make another.`,
  )

const forbidden = (members: readonly string[]): GatewayError =>
  new GatewayError(
    'FORBIDDEN',
    `A key may not exceed the key that makes or changes it: ${members.join(', ')}.`,
    {
      details: members.map(path => ({ path, message: 'exceeds your own key' })),
    },
  )

/** Whether a key belongs to a member: it is their own, has their owner, or was made by theirs. */
const isOwn = ({ id, owner, madeBy }: KeyRecord, member: KeyIdentity): boolean =>
  id === member.id || madeBy === member.id || (owner !== undefined && owner === member.owner)

/** Makes, lists and changes API keys. A member sees their own, and none exceeds the key that it is made or changed by. */
export class KeyService {
  readonly #deps: KeyServiceDeps
  readonly #record: KeyRecorder

  /** @param record called with each change; none is recorded when absent */
  constructor(deps: KeyServiceDeps, record: KeyRecorder = NOT_RECORDED) {
    this.#deps = deps
    this.#record = record
  }

  /** A service that records its changes: a refused one is not recorded, one that cannot be recorded is not made. */
  recordedBy(record: KeyRecorder): KeyService {
    return new KeyService(this.#deps, record)
  }

  /** @throws GatewayError FORBIDDEN where it would exceed its maker, or has too many makers */
  async create(by: KeyIdentity, settings: KeySettings, acting: Acting): Promise<MadeKey> {
    const { records, clock, onChange } = this.#deps
    const isMember = 'member' in acting
    const chosen = isMember ? await this.#asMember(by, settings) : settings
    const { secret, stored } = this.#newSecret()
    const key: KeyRecord = {
      ...chosen,
      id: `key_${randomBytes(ID_BYTES).toString('hex')}`,
      prefix: stored.prefix,
      madeBy: isMember ? by.id : ADMIN_ID,
      createdAt: Math.floor(clock.now()),
    }
    const made = await records.add(key, stored, this.#record)
    onChange()
    return { key: made, secret }
  }

  /** @throws GatewayError NOT_FOUND */
  async find(id: unknown, acting: Acting): Promise<KeyRecord> {
    const key = typeof id === 'string' && ID.test(id) ? await this.#deps.records.find(id) : undefined
    if (!key || ('member' in acting && !isOwn(key, acting.member))) throw noSuchKey()
    return this.#withUse(key)
  }

  /** The key that is used, as it is stored; the admin token as if it were one. */
  async self({ id, name, role }: KeyIdentity): Promise<KeyRecord> {
    if (id === ADMIN_ID) return { id, name, role, prefix: '', madeBy: ADMIN_ID, createdAt: 0 }
    const key = await this.#deps.records.findEffective(id)
    if (!key) throw noSuchKey()
    return this.#withUse(key)
  }

  /** Newest first. */
  async list(
    options: Readonly<{ limit: number; cursor?: string | undefined }>,
    acting: Acting,
  ): Promise<KeyPage> {
    const group = 'member' in acting && { group: { id: acting.member.id, owner: acting.member.owner } }
    const page = await this.#deps.records.list({ ...options, ...group })
    return { ...page, entries: page.entries.map(key => this.#withUse(key)) }
  }

  /** @throws GatewayError NOT_FOUND, FORBIDDEN where it would then exceed the member's own key, CONFLICT when revoked */
  async change(id: unknown, change: KeyChange, acting: Acting): Promise<KeyRecord> {
    const key = await this.#changeable(id, acting)
    const next = changedKey(key, change)
    if ('member' in acting) {
      if (next.owner !== key.owner) throw forbidden(['owner'])
      this.#assertWithin(next, acting.member)
    }
    const changed = await this.#deps.records.change(key.id, change, this.#record)
    this.#deps.onChange()
    return this.#withUse(changed)
  }

  /** A new secret; the old one stays valid for so long. */
  async rotate(id: unknown, overlapMs: number, acting: Acting): Promise<MadeKey> {
    const key = await this.#changeable(id, acting)
    const { secret, stored } = this.#newSecret()
    const othersUntil = this.#deps.clock.now() + overlapMs
    const rotated = await this.#deps.records.rotate(key.id, stored, othersUntil, this.#record)
    this.#deps.onChange()
    return { key: this.#withUse(rotated), secret }
  }

  /** Ends a key, and with it the keys that it made. Once more changes nothing. */
  async revoke(id: unknown, acting: Acting): Promise<KeyRecord> {
    const key = await this.find(id, acting)
    if ('member' in acting) this.#assertWithin(key, acting.member)
    const revoked = await this.#deps.records.revoke(key.id, this.#deps.clock.now(), this.#record)
    this.#deps.onChange()
    return this.#withUse(revoked)
  }

  #withUse(key: KeyRecord): KeyRecord {
    const usedAt = this.#deps.lastUse(key.id) ?? Number.NEGATIVE_INFINITY
    return usedAt > (key.lastUsedAt ?? Number.NEGATIVE_INFINITY) ? { ...key, lastUsedAt: usedAt } : key
  }

  /** A member could take the place of a key that it changes, so that key must not be wider than its own. */
  async #changeable(id: unknown, acting: Acting): Promise<KeyRecord> {
    const key = await this.find(id, acting)
    if ('member' in acting) this.#assertWithin(key, acting.member)
    if (key.revokedAt !== undefined)
      throw new GatewayError('CONFLICT', 'The API key is revoked, and can no longer be changed.', {
        retryable: false,
      })
    return key
  }

  async #asMember(by: KeyIdentity, settings: KeySettings): Promise<KeySettings> {
    const owner = settings.owner ?? by.owner
    if (by.role !== 'admin' && owner !== by.owner) throw forbidden(['owner'])
    const key = withMakersRestrictions({ ...settings, owner }, by)
    this.#assertWithin(key, by)
    const makers = by.id === ADMIN_ID ? 0 : await this.#deps.records.countMakers(by.id)
    if (makers === undefined || makers >= MOST_MAKERS) throw tooManyMakers()
    return key
  }

  #assertWithin(key: KeySettings | KeyRecord, by: KeyIdentity): void {
    if (by.role !== 'admin' && key.owner !== by.owner) throw forbidden(['owner'])
    const members = exceeding(key, by)
    if (members.length > 0) throw forbidden(members)
  }

  #newSecret(): Readonly<{ secret: string; stored: KeySecret }> {
    const secret = newKey()
    const { pepper, clock } = this.#deps
    return {
      secret,
      stored: {
        digest: digestOf(pepper, secret),
        prefix: displayPrefix(secret),
        createdAt: Math.floor(clock.now()),
      },
    }
  }
}

type Group = Readonly<Record<string, unknown>>

/** A group of members with a change of it. Members of null are taken away. */
const merged = <G extends object>(old: G | undefined, change: object | null | undefined): G | undefined => {
  if (change === undefined) return old
  if (change === null) return undefined
  const members: Group = { ...old, ...change }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as G
}

const ofNull = <Value>(value: Value | null | undefined, old: Value | undefined): Value | undefined =>
  value === undefined ? old : (value ?? undefined)

/** A key as a change leaves it. */
const changedKey = (key: KeyRecord, change: KeyChange): KeyRecord => ({
  ...key,
  name: change.name ?? key.name,
  owner: ofNull(change.owner, key.owner),
  role: change.role ?? key.role,
  scopes: merged(key.scopes, change.scopes),
  limits: merged(key.limits, change.limits),
  budget: merged(key.budget, change.budget),
  expiresAt: ofNull(change.expiresAt, key.expiresAt),
})
