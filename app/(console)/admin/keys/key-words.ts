import { plural } from '../../format.ts'
import { dollars, nanoOfUsd } from '../money.ts'
import type { ApiKey } from '../wire.ts'

const dateTime = (time: string): string =>
  new Date(time).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })

/** `Active`, `Revoked on Nov 27, 2026, 3:04 PM`. */
export function stateAsWords({ state, revokedAt, expiresAt }: ApiKey): string {
  if (state === 'revoked') return revokedAt ? `Revoked on ${dateTime(revokedAt)}` : 'Revoked'
  if (state === 'expired') return expiresAt ? `Expired on ${dateTime(expiresAt)}` : 'Expired'
  return 'Active'
}

/** Its owner, role and times. */
export function factsOf({ owner, role, state, createdAt, lastUsedAt, expiresAt }: ApiKey): string[] {
  return [
    owner === null ? 'no owner' : `owner ${owner}`,
    role,
    createdAt === null ? '' : `created ${dateTime(createdAt)}`,
    lastUsedAt === undefined ? '' : lastUsedAt === null ? 'never used' : `last used ${dateTime(lastUsedAt)}`,
    state !== 'active' ? '' : expiresAt === null ? 'never expires' : `expires ${dateTime(expiresAt)}`,
  ].filter(fact => fact !== '')
}

const listed = (name: string, values: readonly string[] | undefined): string => {
  if (values === undefined) return ''
  return values.length === 0 ? `no ${name}` : `${name} ${values.join(', ')}`
}

const limitOf = (amount: number | undefined, unit: string, period = ''): string =>
  amount === undefined ? '' : `${plural(amount, unit)}${period}`

const budgetOf = (usd: number | undefined, period: string): string =>
  usd === undefined ? '' : `${dollars(nanoOfUsd(usd))} a ${period}`

/** What it may not exceed; empty without restrictions. */
export function restrictionsOf({ limits, scopes, budgetUsd }: ApiKey): string[] {
  return [
    limitOf(limits.requestsPerMinute, 'request', ' a minute'),
    limitOf(limits.tokensPerMinute, 'token', ' a minute'),
    limitOf(limits.concurrency, 'call', ' at once'),
    listed('routes', scopes.routes),
    listed('models', scopes.models),
    budgetOf(budgetUsd.day, 'day'),
    budgetOf(budgetUsd.month, 'month'),
  ].filter(restriction => restriction !== '')
}

export const hasBudget = ({ budgetUsd }: ApiKey): boolean =>
  budgetUsd.day !== undefined || budgetUsd.month !== undefined

/** The owners of keys, each once. */
export const ownersOf = (keys: readonly ApiKey[]): string[] => [
  ...new Set(keys.flatMap(({ owner }) => (owner === null ? [] : [owner]))),
]

/** The owners among scopes of budgets. */
export const ownersIn = (scopes: Iterable<string>): string[] =>
  [...scopes].flatMap(scope => (scope.startsWith('owner:') ? [scope.slice('owner:'.length)] : []))

/** The budgets that apply to keys: of all callers, of their owners, and their own. */
export const scopesOf = (keys: readonly ApiKey[]): string[] => [
  'all',
  ...ownersOf(keys).map(owner => `owner:${owner}`),
  ...keys.filter(key => key.state === 'active' && hasBudget(key)).map(({ id }) => `key:${id}`),
]
