/** The load process: one order in, one result out, until its parent exits. */
import { runClosedLoop } from './closed-loop.ts'
import type { LoadOrder } from './order.ts'

process.on('message', async (order: LoadOrder) => process.send?.(await runClosedLoop(order)))
process.on('disconnect', () => process.exit())
