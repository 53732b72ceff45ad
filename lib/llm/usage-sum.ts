import type { Usage } from './types.ts'

const COUNTS = [
  'cachedInputTokens',
  'cacheWriteInputTokens',
  'cacheWrite1hInputTokens',
  'reasoningTokens',
  'audioOutputTokens',
  'audioInputTokens',
  'imageInputTokens',
] as const

const NOTHING: Usage = { inputTokens: 0, outputTokens: 0 }

/** A count that no round reports stays absent. */
const sumOf = (name: (typeof COUNTS)[number], rounds: readonly Usage[]): number | undefined => {
  const known = rounds.flatMap(usage => usage[name] ?? [])
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0)
}

/** The cost of all rounds; undefined where that of any is unknown. */
const costOf = (rounds: readonly Usage[]): number | undefined =>
  rounds.reduce<number | undefined>(
    (sum, { costPicoUsd: cost }) => (sum === undefined || cost === undefined ? undefined : sum + cost),
    0,
  )

/**
 * The usage of several rounds of one answer, each with its cost. The sum of their costs takes precedence over the price
 * of all tokens together, which may be another one; a cost that is unknown in one round is unknown in all.
 */
export const usageSum = (rounds: readonly Usage[]): Usage => {
  const [only] = rounds
  if (rounds.length === 0) return NOTHING
  if (rounds.length === 1 && only) return only
  const cost = costOf(rounds)
  const counts = Object.fromEntries(
    COUNTS.flatMap(name => {
      const sum = sumOf(name, rounds)
      return sum === undefined ? [] : [[name, sum]]
    }),
  )
  const tier = rounds.findLast(({ serviceTier }) => serviceTier !== undefined)?.serviceTier
  return {
    inputTokens: rounds.reduce((sum, usage) => sum + usage.inputTokens, 0),
    outputTokens: rounds.reduce((sum, usage) => sum + usage.outputTokens, 0),
    ...counts,
    ...(tier !== undefined && { serviceTier: tier }),
    ...(cost === undefined ? { billed: { unit: 'unknown' } as const } : { reportedPicoUsd: cost }),
    ...(rounds.some(({ estimated }) => estimated) && { estimated: true as const }),
  }
}
