import type { Caller } from '../caller.ts'
import type { Scope } from './types.ts'

const LONGEST = 300
const SCOPE = /^(?:all|(?:owner|key):[^\p{Cc}]+)$/u

/** The kinds of scopes, for metrics and texts: names of tenants stand in neither. */
export type ScopeKind = 'all' | 'owner' | 'key'

export const kindOf = (scope: Scope): ScopeKind => scope.split(':', 1)[0] as ScopeKind

/** The scopes of a caller, in the order in which their counters are locked: the one that most calls share is last. */
export const scopesOf = (caller: Caller): readonly Scope[] => {
  if (caller.kind !== 'key') return ['all']
  const own: Scope = `key:${caller.id}`
  return caller.owner === undefined ? [own, 'all'] : [own, `owner:${caller.owner}`, 'all']
}

/** A text as a scope; undefined where it is none. */
export const scopeIn = (text: string): Scope | undefined =>
  text.length <= LONGEST && SCOPE.test(text) ? (text as Scope) : undefined

/** The id of the key whose budget it is; undefined for another's. */
export const keyIn = (scope: Scope): string | undefined =>
  scope.startsWith('key:') ? scope.slice('key:'.length) : undefined
