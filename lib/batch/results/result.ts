import { usdOf } from '../../money.ts'
import type { Item } from '../types.ts'

/** One item of a job as its results say it. `costUsd` is null where the price is unknown or nothing was answered. */
export const resultOf = ({ id, index, state, response, fault, source }: Item) => ({
  id,
  index,
  state,
  ...(response && {
    content: response.content,
    finishReason: response.finishReason,
    truncated: response.truncated,
    model: response.target.name,
    provider: response.target.provider,
    usage: response.usage,
  }),
  costUsd: response?.costPicoUsd === undefined ? null : usdOf(response.costPicoUsd),
  ...(response && { cache: response.cache }),
  ...(fault && { error: fault }),
  ...source,
})

export type Result = ReturnType<typeof resultOf>
