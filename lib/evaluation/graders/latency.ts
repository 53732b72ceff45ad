import type { Grader } from '../grader.ts'
import type { LatencySpec } from '../types.ts'
import { bounded } from './bounds.ts'

/** Whether the answer took at most so many milliseconds. */
export const latency: Grader<LatencySpec> = {
  type: 'latency',
  needs: () => ['latencyMs'],
  grade: async ({ maxMs }, { latencyMs }) => bounded(latencyMs, maxMs, { name: 'latency', unit: 'ms' }),
}
