/** How long to wait before trying again. */
export type Backoff = Readonly<{ baseMs: number; longestMs: number }>

/**
 * Anywhere between nothing and a bound that doubles with every retry (from 0), so that those who failed
 * together do not come back together. Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).
 *
 * @param random from 0 to below 1
 */
export const fullJitter = ({ baseMs, longestMs }: Backoff, retry: number, random: () => number): number =>
  random() * Math.min(longestMs, baseMs * 2 ** retry)
