import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Target } from '../llm/types.ts'
import type { CircuitState } from './breaker/circuit.ts'
import type { CircuitOf } from './breaker/policy.ts'

/** What gateways tell each other of their circuits. */
export type SharedCircuits = Readonly<{
  /** To be told of each change of each own circuit. */
  changed: (target: Target, state: CircuitState) => void
  /** Takes another gateway's word. */
  receive: (notice: string, holdsForMs: number) => void
  /** Whose circuits these are. */
  attach: <Circuits extends CircuitOf>(circuitOf: Circuits) => Circuits
}>

const KIND = 'circuit '
const targetShape = z.object({ provider: z.string(), model: z.string(), name: z.string() })

const targetOf = (notice: string): Target | undefined => {
  if (!notice.startsWith(KIND)) return undefined
  try {
    return targetShape.safeParse(JSON.parse(notice.slice(KIND.length))).data
  } catch {
    return undefined
  }
}

/**
 * Spreads the news that a target is unwell, so that not every gateway has to find out by failing. Only the first
 * opening of a circuit is told, not those after failed probes: all then probe for themselves, and a gateway that
 * alone cannot reach a target keeps nobody from it for long.
 */
export const sharedCircuits = (
  send: (notice: string, holdsForMs: number) => void,
  clock: Clock,
): SharedCircuits => {
  let own: CircuitOf | undefined
  return {
    changed({ provider, model, name }, state) {
      if (state.name !== 'open' || state.openedBy !== 'calls') return
      send(KIND + JSON.stringify({ provider, model, name }), state.until - clock.now())
    },
    receive(notice, holdsForMs) {
      const target = targetOf(notice)
      if (target) own?.(target).openUntil(clock.now() + holdsForMs, 'it has failed another gateway')
    },
    attach(circuitOf) {
      own = circuitOf
      return circuitOf
    },
  }
}
