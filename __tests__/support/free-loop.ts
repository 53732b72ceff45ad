import type { GatewayProcess } from './gateway.ts'
import { LiveProbe } from './live-probe.ts'
import { leastDisturbed, TooLong } from './loop-delays.ts'
import { slowness } from './machine-speed.ts'

const LIVE_WITHIN_MS = 100

/**
 * The event loop is never blocked for more than 50 ms while `work` is done, and health answers within 100 ms.
 *
 * @param most how often it may be measured, 3 when absent: 1 for work that cannot be repeated
 */
export const expectFreeLoopDuring = (
  gateway: GatewayProcess,
  work: () => Promise<void>,
  most?: number,
): Promise<void> =>
  leastDisturbed(async () => {
    await gateway.watchLoop()
    const probe = new LiveProbe(gateway)
    await work()
    const liveMs = await probe.stop()
    const delays = await gateway.loopDelays()
    delays.expectBelow(50)
    if (liveMs / slowness() > LIVE_WITHIN_MS) throw new TooLong(`/api/health/live took ${liveMs} ms`)
  }, most)
