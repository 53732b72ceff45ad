import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeyIdentity } from '../caller.ts'
import { ADMIN_ID } from '../caller.ts'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { ClientInfo } from '../request-context.ts'
import type { Records } from '../storage/records/records.ts'
import { CachedLookup } from './keys/cached-lookup.ts'
import { Gate } from './keys/gate.ts'
import { digestOf } from './keys/verifier.ts'

/** The cookie over https, which no other host and no plain connection can set, and over http. */
export const ADMIN_COOKIES = ['__Host-parley_admin', 'parley_admin'] as const
export const ADMIN_SESSION_SECONDS = 8 * 60 * 60

const ID_BYTES = 18
const SHAPE = /^([\w-]{24})\.([\da-f]{64}|admin)\.(\d{10})\.([\w-]{43})$/
const GATE = { atOnce: 5, mostWaiting: 500 }

export type AdminSessionDeps = Readonly<{
  records: Records
  /** Signs them, and makes the digests of keys. */
  pepper: string | Uint8Array
  /** Another one ends the sessions that were begun with it. */
  adminToken: string | undefined
  /** The key of a secret's digest, or of `ADMIN_ID`; undefined where the secret is not valid any more. */
  activeByDigest: (digest: string) => Promise<KeyIdentity | undefined>
  clock: Clock
  /** The clock that all processes on the database share. */
  shared: Pick<Clock, 'now'>
}>

type Content = Readonly<{ id: string; digest: string; expiresAt: number }>
/** What identified an admin. */
type Sent = Pick<ClientInfo, 'apiKey' | 'adminSession'>
type Ended = Readonly<{ id: string }>

/**
 * Sessions of admins: `id.digest.expiresAt.signature`, with the digest of the secret that began them, or `admin`. They
 * end after eight hours, when they are signed out, and with that secret: also when its key gets another one.
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

  /**
   * A cookie's value for a new session of an admin, who sent a key or another session.
   * @throws GatewayError FORBIDDEN for a key that is not an admin's
   */
  begin(admin: KeyIdentity, sent: Sent): string {
    const digest = this.#digestOf(admin, sent)
    if (admin.role !== 'admin' || digest === undefined)
      throw new GatewayError('FORBIDDEN', 'Only an admin may sign in.')
    const expiresAt = Math.floor(this.#deps.shared.now() / 1000) + ADMIN_SESSION_SECONDS
    const payload = `${randomBytes(ID_BYTES).toString('base64url')}.${digest}.${expiresAt}`
    return `${payload}.${this.#sign(payload)}`
  }

  /** The admin of a session; undefined where it has ended. Rejects with STORE_UNAVAILABLE where that is unknown. */
  async adminOf(value: string): Promise<KeyIdentity | undefined> {
    const content = this.#read(value)
    if (!content || (await this.#ended.get(content.id))) return undefined
    const key = await this.#deps.activeByDigest(content.digest)
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

  #digestOf({ id }: KeyIdentity, { apiKey, adminSession }: Sent): string | undefined {
    if (id === ADMIN_ID) return ADMIN_ID
    if (apiKey !== undefined) return digestOf(this.#deps.pepper, apiKey)
    return adminSession === undefined ? undefined : this.#read(adminSession)?.digest
  }

  #read(value: string): Content | undefined {
    const [, id, digest, expiresAt, signature] = SHAPE.exec(value) ?? []
    if (!id || !digest || !expiresAt || !signature) return undefined
    const expected = this.#sign(`${id}.${digest}.${expiresAt}`)
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return undefined
    return Number(expiresAt) * 1000 > this.#deps.shared.now()
      ? { id, digest, expiresAt: Number(expiresAt) }
      : undefined
  }

  #sign(payload: string): string {
    const { pepper, adminToken = '' } = this.#deps
    const [, digest] = payload.split('.')
    const secret = digest === ADMIN_ID ? adminToken : ''
    return createHmac('sha256', pepper)
      .update(`parley admin session ${payload}\n${secret}`)
      .digest('base64url')
  }
}
