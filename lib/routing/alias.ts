import type { Call, Target } from '../llm/types.ts'
import { armOf } from './sticky.ts'
import type { TargetStats } from './target-stats.ts'

/** One of the targets of an alias. */
export type AliasTarget = Readonly<{
  target: Target
  /** Its share among the weights, for `weighted`; 1 by default. */
  weight: number
  /** US dollars for a million tokens in and a million out; absent where unknown. */
  usdPerMillionBoth?: number
}>

/** A name that stands for several models. */
export type Alias = Readonly<{ name: string; strategy: Strategy; targets: readonly AliasTarget[] }>

export type Strategy = keyof typeof STRATEGIES

type Order = (alias: Alias, call: Call, stats: TargetStats) => readonly AliasTarget[]

/** Stable: equal targets stay in the listed order. */
const ascending = (targets: readonly AliasTarget[], rankOf: (one: AliasTarget) => number) => {
  const values = new Map(targets.map(one => [one, rankOf(one)]))
  return targets.toSorted((a, b) => (values.get(a) ?? 0) - (values.get(b) ?? 0))
}

/** The largest number that can be subtracted from itself. */
const LAST = Number.MAX_VALUE

/** Strategies that order the targets of an alias, the one to try first. */
const STRATEGIES = {
  /** The order in which they are listed. */
  priority: ({ targets }) => targets,
  /** A target by its share, then the others; a caller always gets the same one. */
  weighted: (alias, call) => {
    const arm = armOf(alias, call.caller)
    return arm ? [arm, ...alias.targets.filter(one => one !== arm && one.weight > 0)] : alias.targets
  },
  /** The lowest price first; an unknown price comes last. */
  cheapest: ({ targets }) => ascending(targets, one => one.usdPerMillionBoth ?? LAST),
  /** The shortest observed time to first content first, after unobserved targets, which are to be measured. */
  fastest: ({ targets }, _call, { latency }) => ascending(targets, one => latency.of(one.target) ?? 0),
  /** The fewest calls in progress first. */
  'least-busy': ({ targets }, _call, { busy }) => ascending(targets, one => busy.of(one.target)),
} as const satisfies Record<string, Order>

/** The targets of an alias, the one to try first. */
export const ordered = (alias: Alias, call: Call, stats: TargetStats): readonly AliasTarget[] => {
  const order: Order = STRATEGIES[alias.strategy]
  return order(alias, call, stats)
}
