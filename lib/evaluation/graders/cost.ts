import type { Grader } from '../grader.ts'
import type { CostSpec } from '../types.ts'
import { bounded } from './bounds.ts'

/** Whether the answer cost at most so many US dollars. An unknown cost is no score, and does not pass. */
export const cost: Grader<CostSpec> = {
  type: 'cost',
  needs: () => ['costUsd'],
  grade: async ({ maxUsd }, { costUsd }) => bounded(costUsd, maxUsd, { name: 'cost', unit: 'US dollars' }),
}
