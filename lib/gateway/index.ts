import { keptAlive } from '../clock.ts'
import { readEnvironment } from '../config/env.ts'
import { serving } from '../http/serve.ts'
import { buildGateway, type Gateway } from './gateway.ts'
import { faultsBeside } from './providers.ts'

export type { Gateway }

const SLOT = Symbol.for('parley.gateway')
const slot = globalThis as { [SLOT]?: Promise<Gateway> }

/**
 * This process's gateway, built at the first use. Next compiles routes separately, so module state
 * is not shared between them: it lives in one slot of `globalThis`.
 */
export const gateway = (): Promise<Gateway> => {
  slot[SLOT] ??= keptAlive(buildGateway(readEnvironment(faultsBeside)))
  return slot[SLOT]
}

/** Whether this process has its gateway already. */
export const isRunning = (): boolean => slot[SLOT] !== undefined

/** Wraps a route's handlers; see `serving`. */
export const serve = serving(gateway)
