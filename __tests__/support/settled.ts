import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_MS = 50
/** That nothing comes any more has no signal: it can only be waited for. */
const QUIET_MS = 500

/** Resolves once a count has stayed the same for half a second. */
export const settled = async (count: () => number): Promise<void> => {
  let last = count()
  for (let since = performance.now(); performance.now() - since < QUIET_MS; await sleep(LOOK_MS)) {
    if (count() === last) continue
    last = count()
    since = performance.now()
  }
}
