import type { Item } from '../types.ts'

/** One item in a job's results. `costUsd` is null where the price is unknown or there is no answer. */
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
  costUsd: response?.costUsd ?? null,
  ...(response && { cache: response.cache }),
  ...(fault && { error: fault }),
  ...source,
})

export type Result = ReturnType<typeof resultOf>
