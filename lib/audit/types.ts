import type { Transaction } from 'kysely'
import type { RecordsSchema } from '../storage/records/schema.ts'

/** Everything that is recorded. */
export const AUDIT_ACTIONS = [
  'budget.change',
  'cache.invalidate',
  'config.reload',
  'export.usage',
  'guardrail.block',
  'key.change',
  'key.create',
  'key.revoke',
  'key.rotate',
  'session.sign-in',
  'session.sign-in-refused',
  'session.sign-out',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

/** `system` is the gateway itself; `anonymous` has no credential; the others come with the id of the key or session. */
export type AuditActor =
  | Readonly<{ kind: 'admin-token' | 'anonymous' | 'system' }>
  | Readonly<{ kind: 'key' | 'session'; id: string }>

/** One action. Values are stored as hashes; only `detail` can be read in the log. */
export type AuditEntry = Readonly<{
  actor: AuditActor
  action: AuditAction
  /** The id of what the action is done to. Never a secret. */
  object: string
  /** The object before and after it, as JSON values; absent where there was or is none. */
  before?: unknown
  after?: unknown
  /** A short summary without secrets. */
  detail?: Readonly<Record<string, string | number | boolean | null>> | undefined
  /** The client's IP address. */
  address?: string | undefined
  requestId?: string | undefined
}>

/** The actor of an entry, and where its request came from. */
export type AuditOrigin = Pick<AuditEntry, 'actor' | 'address' | 'requestId'>

/** An entry as it is in the log. */
export type AuditRow = Readonly<{
  /** From 1, without gaps. */
  sequence: number
  /** Clock time, milliseconds. */
  at: number
  actor: string
  action: string
  object: string
  /** SHA-256 of the canonical JSON, in hex. */
  beforeHash: string | null
  afterHash: string | null
  /** JSON of an object. */
  detail: string | null
  address: string | null
  requestId: string | null
  /** The hash of the row before; zeros for the first one. */
  previousHash: string
  hash: string
}>

/** The number and the hash of a row: with them, everything up to that row can be proved. */
export type AuditAnchor = Readonly<{ sequence: number; hash: string }>

/** The audit log. */
export type Audit = Readonly<{
  /**
   * Appends an entry. Await it before the action: where it cannot be written, the action must not take place.
   * @param transaction that of the action, so that both are written or neither
   * @throws GatewayError STORE_UNAVAILABLE
   */
  append: (entry: AuditEntry, transaction?: Transaction<RecordsSchema>) => Promise<void>
}>
