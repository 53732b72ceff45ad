import type { KeyRestrictions } from '../../caller.ts'
import { isWithinScopes } from './scopes.ts'
import type { KeyEnd, KeyRecord } from './types.ts'

type Restricted = KeyRestrictions & Pick<KeyRecord, 'role' | 'expiresAt'>

/** Keys that made a key that made a key …, at most; a key with more of them is not valid. */
export const MOST_MAKERS = 16

const least = (a: number | undefined, b: number | undefined): number | undefined => {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

const isAtMost = (value: number | undefined, most: number | undefined): boolean =>
  most === undefined || (value !== undefined && value <= most)

const LIMITS = ['requestsPerMinute', 'tokensPerMinute', 'concurrency'] as const
const AMOUNTS = ['dayNanoUsd', 'monthNanoUsd'] as const

/** The members of a key that exceed another's, by the names of the API. */
export const exceeding = (key: Restricted, maker: Restricted): readonly string[] => [
  ...(key.role === 'admin' && maker.role !== 'admin' ? ['role'] : []),
  ...(isWithinScopes(key.scopes, maker.scopes) ? [] : ['scopes']),
  ...LIMITS.filter(name => !isAtMost(key.limits?.[name], maker.limits?.[name])).map(name => `limits.${name}`),
  ...(AMOUNTS.every(name => isAtMost(key.budget?.[name], maker.budget?.[name])) ? [] : ['budgetUsd']),
  ...(isAtMost(key.expiresAt, maker.expiresAt) ? [] : ['expiresAt']),
]

/** What is absent is taken from the maker. */
export const withMakersRestrictions = <Key extends Restricted>(key: Key, maker: Restricted): Key => ({
  ...key,
  scopes: {
    routes: key.scopes?.routes ?? maker.scopes?.routes,
    models: key.scopes?.models ?? maker.scopes?.models,
  },
  limits: Object.fromEntries(LIMITS.map(name => [name, key.limits?.[name] ?? maker.limits?.[name]])),
  budget: Object.fromEntries(AMOUNTS.map(name => [name, key.budget?.[name] ?? maker.budget?.[name]])),
  expiresAt: key.expiresAt ?? maker.expiresAt,
})

/** The patterns of each list that lie within the other. */
const both = (
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
  isWithin: (pattern: string, list: readonly string[]) => boolean,
): readonly string[] | undefined => {
  if (one === undefined || other === undefined) return one ?? other
  const found = [
    ...one.filter(pattern => isWithin(pattern, other)),
    ...other.filter(pattern => isWithin(pattern, one)),
  ]
  return [...new Set(found)]
}

const common = (scopes: KeyRecord['scopes'], makers: KeyRecord['scopes']): KeyRecord['scopes'] => ({
  routes: both(scopes?.routes, makers?.routes, (route, routes) =>
    isWithinScopes({ routes: [route] }, { routes }),
  ),
  models: both(scopes?.models, makers?.models, (model, models) =>
    isWithinScopes({ models: [model] }, { models }),
  ),
})

/** When the first of two keys ends. */
export const earlier = (one: KeyEnd, other: KeyEnd): KeyEnd => ({
  expiresAt: least(one.expiresAt, other.expiresAt),
  revokedAt: least(one.revokedAt, other.revokedAt),
})

/** A key as its maker's restrictions leave it, which may have become narrower since it was made. */
export const narrowed = (key: KeyRecord, maker: KeyRecord): KeyRecord => ({
  ...key,
  role: maker.role === 'admin' ? key.role : 'member',
  scopes: common(key.scopes, maker.scopes),
  limits: Object.fromEntries(LIMITS.map(name => [name, least(key.limits?.[name], maker.limits?.[name])])),
  budget: Object.fromEntries(AMOUNTS.map(name => [name, least(key.budget?.[name], maker.budget?.[name])])),
  ...earlier(key, maker),
})
