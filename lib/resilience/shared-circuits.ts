import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Target } from '../llm/types.ts'
import type { CircuitOf, CircuitState } from './breaker/circuit.ts'

/** Exchanges circuit openings between gateways. */
export type SharedCircuits = Readonly<{
  /** To be called at each change of each own circuit. */
  changed: (target: Target, state: CircuitState) => void
  /** Applies another gateway's notice. */
  receive: (notice: string, holdsForMs: number) => void
  /** The circuits to open on notices. */
  attach: <Circuits extends CircuitOf>(circuitOf: Circuits) => Circuits
}>

const KIND = 'circuit '
const targetShape = z.object({
  provider: z.string(),
  model: z.string(),
  name: z.string(),
  quality: z.exactOptional(z.string()),
})

const targetOf = (notice: string): Target | undefined => {
  if (!notice.startsWith(KIND)) return undefined
  try {
    return targetShape.safeParse(JSON.parse(notice.slice(KIND.length))).data
  } catch {
    return undefined
  }
}

/**
 * Shares the opening of circuits, so that not every gateway has to detect the failure itself. Only the first opening of
 * a circuit is shared, not those after failed probes: each gateway then probes for itself, and one that alone cannot
 * reach a target does not block the others for long.
 */
export const sharedCircuits = (
  send: (notice: string, holdsForMs: number) => void,
  clock: Clock,
): SharedCircuits => {
  let own: CircuitOf | undefined
  return {
    changed({ provider, model, name, quality }, state) {
      if (state.name !== 'open' || state.openedBy !== 'calls') return
      send(KIND + JSON.stringify({ provider, model, name, quality }), state.until - clock.now())
    },
    receive(notice, holdsForMs) {
      const target = targetOf(notice)
      if (target) own?.(target).openUntil(clock.now() + holdsForMs, 'another gateway reported failures')
    },
    attach(circuitOf) {
      own = circuitOf
      return circuitOf
    },
  }
}
