import type { Operation, OperationLimits } from '../operation.ts'
import { anthropicBatchOperations } from './anthropic-batches.ts'
import { anthropicOperations } from './anthropic-format.ts'
import { batchOperations } from './batch.ts'
import { chatOperations } from './chat.ts'
import { evaluationOperations } from './evaluation.ts'
import { keyOperations } from './keys.ts'
import { kvOperations } from './kv.ts'
import { openAiOperations } from './openai-format.ts'
import { openAiStateOperations } from './openai-state.ts'
import { operationsOperations } from './operations.ts'
import { toolOperations } from './tools.ts'
import { usageOperations } from './usage.ts'

/** Every operation of the API. A route without one, or one without a route, fails `openapi.test.ts`. */
export const operationsOf = (limits: OperationLimits): readonly Operation[] => [
  ...chatOperations(limits),
  ...openAiOperations,
  ...openAiStateOperations,
  ...anthropicOperations,
  ...anthropicBatchOperations(limits.mostItems),
  ...batchOperations(limits),
  ...kvOperations,
  ...toolOperations,
  ...evaluationOperations,
  ...keyOperations,
  ...usageOperations,
  ...operationsOperations,
]
