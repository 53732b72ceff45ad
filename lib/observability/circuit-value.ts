export type CircuitName = 'closed' | 'half-open' | 'open'

/** How a circuit's state is shown as a number. */
export const CIRCUIT_VALUE: Readonly<Record<CircuitName, number>> = { closed: 0, 'half-open': 1, open: 2 }
