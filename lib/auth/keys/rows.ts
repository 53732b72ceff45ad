import type { Selectable, Updateable } from 'kysely'
import type { Role } from '../../caller.ts'
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
  lastUsedAt: row.last_used_at ?? undefined,
})

const scopeColumns = (scopes: KeyRecord['scopes']) => ({
  route_scopes: textOf(scopes?.routes),
  model_scopes: textOf(scopes?.models),
})

const LIMIT_COLUMNS = {
  requestsPerMinute: 'requests_per_minute',
  tokensPerMinute: 'tokens_per_minute',
  concurrency: 'concurrency',
} as const

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
  last_used_at: whole(key.lastUsedAt),
})

/** The columns of the members that a change of a group names; all of them where it takes the group away. */
const named = <Group extends object, Columns extends object>(
  change: { readonly [Name in keyof Group]?: Group[Name] | null } | null | undefined,
  columns: Readonly<Record<keyof Group, keyof Columns>>,
  columnsOf: (group: Group | undefined) => Columns,
): Partial<Columns> => {
  if (change === undefined) return {}
  const all = columnsOf(change === null ? undefined : withoutNulls(change))
  const names = Object.keys(columns) as (keyof Group)[]
  const chosen = names.filter(name => change === null || change[name] !== undefined)
  return Object.fromEntries(chosen.map(name => [columns[name], all[columns[name]]])) as Partial<Columns>
}

const withoutNulls = <Group extends object>(
  change: {
    readonly [Name in keyof Group]?: Group[Name] | null
  },
): Group => Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null)) as Group

export type ChangedColumns = Updateable<ApiKeysTable>

/** The columns that a change names: others may be changed at the same time. */
export const changedColumns = ({
  name,
  owner,
  role,
  scopes,
  limits,
  budget,
  expiresAt,
}: KeyChange): ChangedColumns => ({
  ...(name !== undefined && { name }),
  ...(owner !== undefined && { owner }),
  ...(role !== undefined && { role }),
  ...named(scopes, { routes: 'route_scopes', models: 'model_scopes' }, scopeColumns),
  ...named(limits, LIMIT_COLUMNS, limitColumns),
  ...named(budget, { dayNanoUsd: 'day_nano', monthNanoUsd: 'month_nano' }, budgetColumns),
  ...(expiresAt !== undefined && { expires_at: whole(expiresAt ?? undefined) }),
})
