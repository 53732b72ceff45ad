/** How long to wait before a retry. */
export type Backoff = Readonly<{ baseMs: number; longestMs: number }>

/**
 * A random time from zero to a bound that doubles with every retry (counted from 0), so that calls that failed together
 * do not retry together. Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).
 *
 * @param random from 0 to below 1
 */
export const fullJitter = ({ baseMs, longestMs }: Backoff, retry: number, random: () => number): number =>
  random() * Math.min(longestMs, baseMs * 2 ** retry)
