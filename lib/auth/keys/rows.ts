import type { Selectable } from 'kysely'
import { GatewayError } from '../../errors.ts'
import type { Role } from '../../request-context.ts'
import type { ApiKeysTable } from '../../storage/records/tables/keys.ts'
import type { KeyChange, KeyRecord } from './types.ts'

const listOf = (text: string | null): readonly string[] | undefined =>
  text === null ? undefined : JSON.parse(text)

const textOf = (list: readonly string[] | undefined): string | null =>
  list === undefined ? null : JSON.stringify(list)

const whole = (time: number | undefined): number | null => (time === undefined ? null : Math.floor(time))

export const keyOf = (row: Selectable<ApiKeysTable>): KeyRecord => ({
  id: row.id,
  name: row.name,
  ...(row.owner !== null && { owner: row.owner }),
  role: row.role as Role,
  scopes: { routes: listOf(row.route_scopes), models: listOf(row.model_scopes) },
  limits: {
    requestsPerMinute: row.requests_per_minute ?? undefined,
    tokensPerMinute: row.tokens_per_minute ?? undefined,
    concurrency: row.concurrency ?? undefined,
  },
  budget: { dayNanoUsd: row.day_nano ?? undefined, monthNanoUsd: row.month_nano ?? undefined },
  prefix: row.prefix,
  madeBy: row.made_by,
  createdAt: row.created_at,
  expiresAt: row.expires_at ?? undefined,
  revokedAt: row.revoked_at ?? undefined,
})

const scopeColumns = (scopes: KeyRecord['scopes']) => ({
  route_scopes: textOf(scopes?.routes),
  model_scopes: textOf(scopes?.models),
})

const limitColumns = (limits: KeyRecord['limits']) => ({
  requests_per_minute: limits?.requestsPerMinute ?? null,
  tokens_per_minute: limits?.tokensPerMinute ?? null,
  concurrency: limits?.concurrency ?? null,
})

const budgetColumns = (budget: KeyRecord['budget']) => ({
  day_nano: budget?.dayNanoUsd ?? null,
  month_nano: budget?.monthNanoUsd ?? null,
})

export const rowOf = (key: KeyRecord) => ({
  id: key.id,
  name: key.name,
  owner: key.owner ?? null,
  role: key.role,
  ...scopeColumns(key.scopes),
  ...limitColumns(key.limits),
  ...budgetColumns(key.budget),
  made_by: key.madeBy,
  prefix: key.prefix,
  created_at: Math.floor(key.createdAt),
  expires_at: whole(key.expiresAt),
  revoked_at: whole(key.revokedAt),
})

/** The columns of some members of a key. */
export const changedColumns = (key: KeyRecord, members: readonly (keyof KeyChange)[]) => {
  const has = new Set(members)
  return {
    ...(has.has('name') && { name: key.name }),
    ...(has.has('owner') && { owner: key.owner ?? null }),
    ...(has.has('role') && { role: key.role }),
    ...(has.has('scopes') && scopeColumns(key.scopes)),
    ...(has.has('limits') && limitColumns(key.limits)),
    ...(has.has('budget') && budgetColumns(key.budget)),
    ...(has.has('expiresAt') && { expires_at: whole(key.expiresAt) }),
  }
}

const CURSOR = /^(\d{1,15}) (key_[\da-f]{24})$/

/** The end of a page, in an opaque form. */
export const cursorOf = ({ createdAt, id }: KeyRecord): string =>
  Buffer.from(`${createdAt} ${id}`).toString('base64url')

/** @throws GatewayError INVALID_INPUT */
export const readCursor = (cursor: string): Readonly<{ createdAt: number; id: string }> => {
  const [, createdAt, id] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (createdAt !== undefined && id !== undefined) return { createdAt: Number(createdAt), id }
  const message = 'is not a cursor of this list'
  throw new GatewayError('INVALID_INPUT', `cursor: ${message}.`, { details: [{ path: 'cursor', message }] })
}
