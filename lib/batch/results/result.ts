import type { Item } from '../types.ts'

/** One item of a job as its results say it. `costUsd` is null where the price is unknown or nothing was answered. */
export const resultOf = ({ id, index, state, answer, fault, source }: Item) => ({
  id,
  index,
  state,
  ...(answer && {
    content: answer.content,
    finishReason: answer.finishReason,
    truncated: answer.truncated,
    model: answer.target.name,
    provider: answer.target.provider,
    usage: answer.usage,
  }),
  costUsd: answer?.costUsd ?? null,
  ...(answer && { cache: answer.cache }),
  ...(fault && { error: fault }),
  ...source,
})

export type Result = ReturnType<typeof resultOf>
