import { turn } from '../../loop-turns.ts'

/** An estimate with its 95 % confidence interval. */
export type Interval = Readonly<{ value: number; low: number; high: number }>

const Z = 1.959_963_984_540_054
const TAIL = 0.025
const RESAMPLES = 2_000
/** Draws for one interval: of many values fewer resamples are enough. */
const MOST_DRAWS = 1_000_000
const LEAST_RESAMPLES = 200
const SEED = 20_261_201
const DRAWS_PER_TURN = 20_000

/** Numbers from 0 up to but not including 1, the same for the same seed. Source: mulberry32, public domain. */
const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** The value at a share of a list: the nearest rank; undefined of an empty list. */
export const quantile = (values: readonly number[], share: number): number | undefined => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

const resampledMean = (values: readonly number[], random: () => number): number => {
  let sum = 0
  for (let draw = 0; draw < values.length; draw += 1)
    sum += values[Math.floor(random() * values.length)] as number
  return sum / values.length
}

/**
 * The mean of values with a percentile bootstrap interval; undefined where there are none. The same values in the same
 * order give the same interval. Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 13.3.
 */
export const meanInterval = async (values: readonly number[]): Promise<Interval | undefined> => {
  if (values.length === 0) return undefined
  const value = meanOf(values)
  if (values.every(one => one === values[0])) return { value, low: value, high: value }
  const resamples = Math.max(LEAST_RESAMPLES, Math.min(RESAMPLES, Math.floor(MOST_DRAWS / values.length)))
  const perTurn = Math.max(1, Math.floor(DRAWS_PER_TURN / values.length))
  const random = seeded(SEED)
  const means: number[] = []
  for (let count = 0; count < resamples; count += 1) {
    if (count % perTurn === 0) await turn()
    means.push(resampledMean(values, random))
  }
  const [low = value, high = value] = [quantile(means, TAIL), quantile(means, 1 - TAIL)]
  return { value, low, high }
}

/**
 * A share with its Wilson interval; undefined where there is nothing.
 * Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927).
 */
export const shareInterval = (count: number, total: number): Interval | undefined => {
  if (total === 0) return undefined
  const value = count / total
  const centre = (value + Z ** 2 / (2 * total)) / (1 + Z ** 2 / total)
  const half =
    (Z / (1 + Z ** 2 / total)) * Math.sqrt((value * (1 - value)) / total + Z ** 2 / (4 * total ** 2))
  return { value, low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}
