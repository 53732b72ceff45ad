import type { Operation, OperationLimits } from '../operation.ts'
import { anthropicOperations } from './anthropic-format.ts'
import { batchOperations } from './batch.ts'
import { chatOperations } from './chat.ts'
import { openAiOperations } from './openai-format.ts'
import { operationsOperations } from './operations.ts'

/** Every operation of the API. A route without one, or one without a route, fails `openapi.test.ts`. */
export const operationsOf = (limits: OperationLimits): readonly Operation[] => [
  ...chatOperations(limits),
  ...openAiOperations,
  ...anthropicOperations,
  ...batchOperations(limits),
  ...operationsOperations,
]
