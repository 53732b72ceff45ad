import type { Caller } from '../caller.ts'
import { scopesOf } from './scope.ts'
import type { Counter, Scope } from './types.ts'

/** What is reserved at present of each scope, in whole nanodollars. A hold is in the counters of a day and of a month. */
const byScope = (counters: readonly Counter[]): ReadonlyMap<Scope, number> => {
  const reserved = new Map<Scope, number>()
  for (const { scope, reserved: nanoUsd } of counters)
    reserved.set(scope, Math.max(nanoUsd, reserved.get(scope) ?? 0))
  return reserved
}

/** The scope of the owner of ledger rows: `owner X` or `key ID`; undefined for callers without a key. */
const scopeOfOwner = (owner: string): Scope | undefined => {
  const [kind, ...name] = owner.split(' ')
  return kind === 'owner' || kind === 'key' ? `${kind}:${name.join(' ')}` : undefined
}

/** Whose rows of a report are meant: those of a key, of an owner, or, with neither, all. */
export type Of = Readonly<{ key?: string; owner?: string }>

/**
 * What budgets hold back at present of a key's, an owner's or everyone's money, in whole nanodollars. What a key made
 * by another holds back is in both.
 * @param whose rows they are: a caller's, or everyone's, with the sum of all that is held
 */
export const reservedNow = (
  counters: readonly Counter[],
  whose: Caller | Readonly<{ heldNanoUsd: number }>,
): ((of: Of) => number) => {
  const reserved = byScope(counters)
  const total =
    'heldNanoUsd' in whose
      ? whose.heldNanoUsd
      : Math.max(0, ...scopesOf(whose).flatMap(scope => (scope === 'all' ? [] : (reserved.get(scope) ?? []))))
  return ({ key, owner }) => {
    if (key === undefined && owner === undefined) return total
    const scope: Scope | undefined = key ? `key:${key}` : scopeOfOwner(owner ?? '')
    return (scope && reserved.get(scope)) ?? 0
  }
}
