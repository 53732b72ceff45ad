export type CircuitName = 'closed' | 'half-open' | 'open'

/** A circuit's state as a number. */
export const CIRCUIT_VALUE: Readonly<Record<CircuitName, number>> = { closed: 0, 'half-open': 1, open: 2 }
