import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { KeyIdentity } from '../key-identity.ts'
import type { Records } from '../storage/records/records.ts'
import { CachedLookup } from './keys/cached-lookup.ts'
import { Gate } from './keys/gate.ts'

/** The cookie over https, which no other host and no plain connection can set, and over http. */
export const ADMIN_COOKIES = ['__Host-parley_admin', 'parley_admin'] as const
export const ADMIN_SESSION_SECONDS = 8 * 60 * 60

const ID_BYTES = 18
const SHAPE = /^([\w-]{24})\.(key_[\da-f]{24}|admin)\.(\d{10})\.([\w-]{43})$/
const GATE = { atOnce: 5, mostWaiting: 500 }

export type AdminSessionDeps = Readonly<{
  records: Records
  /** Signs them. */
  pepper: string | Uint8Array
  /** Another one ends the sessions that were begun with it. */
  adminToken: string | undefined
  /** The key of an id; undefined where it is not valid any more. */
  activeById: (id: string) => Promise<KeyIdentity | undefined>
  clock: Clock
  /** The clock that all processes on the database share. */
  shared: Pick<Clock, 'now'>
}>

type Content = Readonly<{ id: string; keyId: string; expiresAt: number }>
type Ended = Readonly<{ id: string }>

/**
 * Sessions of admins: `id.keyId.expiresAt.signature`. They end after eight hours, when they are signed out, and with
 * the key that began them.
 */
export class AdminSessions {
  readonly #deps: AdminSessionDeps
  readonly #ended: CachedLookup<Ended>

  constructor(deps: AdminSessionDeps) {
    this.#deps = deps
    const { records, clock } = deps
    const query = (id: string): Promise<Ended | undefined> =>
      records.read(db => db.selectFrom('ended_sessions').select('id').where('id', '=', id).executeTakeFirst())
    this.#ended = new CachedLookup({ query, gate: new Gate(GATE), clock })
  }

  /** A cookie's value for a new session. @throws GatewayError FORBIDDEN for a key that is not an admin's */
  begin({ id: keyId, role }: KeyIdentity): string {
    if (role !== 'admin') throw new GatewayError('FORBIDDEN', 'Only an admin may sign in.')
    const expiresAt = Math.floor(this.#deps.shared.now() / 1000) + ADMIN_SESSION_SECONDS
    const payload = `${randomBytes(ID_BYTES).toString('base64url')}.${keyId}.${expiresAt}`
    return `${payload}.${this.#sign(payload)}`
  }

  /** The admin of a session; undefined where it has ended. Rejects with STORE_UNAVAILABLE where that is unknown. */
  async adminOf(value: string): Promise<KeyIdentity | undefined> {
    const content = this.#read(value)
    if (!content || (await this.#ended.get(content.id))) return undefined
    const key = await this.#deps.activeById(content.keyId)
    return key?.role === 'admin' ? key : undefined
  }

  /** Ends a session on every instance within five seconds, and here at once. */
  async end(value: string): Promise<void> {
    const content = this.#read(value)
    if (!content) return
    const row = { id: content.id, expires_at: content.expiresAt * 1000 }
    const now = Math.floor(this.#deps.shared.now())
    await this.#deps.records.writeTogether(db => [
      db
        .insertInto('ended_sessions')
        .values(row)
        .onConflict(conflict => conflict.doNothing()),
      db.deleteFrom('ended_sessions').where('expires_at', '<', now),
    ])
    this.#ended.clear()
  }

  #read(value: string): Content | undefined {
    const [, id, keyId, expiresAt, signature] = SHAPE.exec(value) ?? []
    if (!id || !keyId || !expiresAt || !signature) return undefined
    const expected = this.#sign(`${id}.${keyId}.${expiresAt}`)
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return undefined
    return Number(expiresAt) * 1000 > this.#deps.shared.now()
      ? { id, keyId, expiresAt: Number(expiresAt) }
      : undefined
  }

  #sign(payload: string): string {
    const { pepper, adminToken = '' } = this.#deps
    const [, keyId] = payload.split('.')
    const secret = keyId === 'admin' ? adminToken : ''
    return createHmac('sha256', pepper)
      .update(`parley admin session ${payload}\n${secret}`)
      .digest('base64url')
  }
}
