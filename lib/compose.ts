/** Handles one input; the innermost part of a pipeline, or a whole composed one. */
export type Handler<In, Out> = (input: In) => Promise<Out>

/**
 * One concern around a handler. A policy may respond by itself, change the input it passes on (`next({ ...input, …
 * })`), call `next` again as long as no part of the reply has been consumed, or throw.
 */
export type Policy<In, Out> = (input: In, next: Handler<In, Out>) => Promise<Out>

/**
 * Puts policies around a handler, the first one outermost.
 *
 * @example
 * const answer = compose(record, limit)(ask)   // record → limit → ask
 */
export const compose =
  <In, Out>(...policies: readonly Policy<In, Out>[]) =>
  (innermost: Handler<In, Out>): Handler<In, Out> =>
    policies.reduceRight<Handler<In, Out>>((next, policy) => input => policy(input, next), innermost)
