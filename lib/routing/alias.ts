import type { Call, Target } from '../llm/types.ts'
import type { Busy } from './busy.ts'
import type { LatencyEwma } from './latency-ewma.ts'
import { armOf } from './sticky.ts'

/** One of the targets of an alias. */
export type AliasTarget = Readonly<{
  target: Target
  /** Its share among the weights, for `weighted`; 1 when nothing was said. */
  weight: number
  /** US dollars for a million tokens in and a million out; absent where unknown. */
  usdPerMillionBoth?: number
}>

/** A name that stands for several models. */
export type Alias = Readonly<{ name: string; strategy: Strategy; targets: readonly AliasTarget[] }>

/** What was seen of targets so far. */
export type TargetStats = Readonly<{ latency: LatencyEwma; busy: Busy }>

export type Strategy = keyof typeof STRATEGIES

type Order = (alias: Alias, call: Call, seen: TargetStats) => readonly AliasTarget[]

/** Stable: what is equal stays as listed. */
const ascending = (targets: readonly AliasTarget[], rankOf: (one: AliasTarget) => number) => {
  const values = new Map(targets.map(one => [one, rankOf(one)]))
  return targets.toSorted((a, b) => (values.get(a) ?? 0) - (values.get(b) ?? 0))
}

/** The largest number that can be subtracted from itself. */
const LAST = Number.MAX_VALUE

/** Each orders the targets of an alias, the one to ask first. */
const STRATEGIES = {
  /** As listed. */
  priority: ({ targets }) => targets,
  /** By share; a caller always gets the same arm. */
  weighted: (alias, call) => {
    const arm = armOf(alias, call.caller)
    return arm ? [arm, ...alias.targets.filter(one => one !== arm && one.weight > 0)] : alias.targets
  },
  /** By price; an unknown price comes last. */
  cheapest: ({ targets }) => ascending(targets, one => one.usdPerMillionBoth ?? LAST),
  /** By the time to first content that was seen; the unseen come first, to be seen. */
  fastest: ({ targets }, _call, { latency }) => ascending(targets, one => latency.of(one.target) ?? 0),
  /** By calls under way. */
  'least-busy': ({ targets }, _call, { busy }) => ascending(targets, one => busy.of(one.target)),
} as const satisfies Record<string, Order>

/** The targets of an alias, the one to ask first. */
export const ordered = (alias: Alias, call: Call, seen: TargetStats): readonly AliasTarget[] => {
  const order: Order = STRATEGIES[alias.strategy]
  return order(alias, call, seen)
}
