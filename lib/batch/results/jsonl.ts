import type { Item } from '../types.ts'

const resultOf = ({ id, index, state, answer, fault, source }: Item) => ({
  id,
  index,
  state,
  ...(source && { file: source.file, ...(source.line !== undefined && { line: source.line }) }),
  ...(answer && {
    content: answer.content,
    finishReason: answer.finishReason,
    truncated: answer.truncated,
    model: answer.target.name,
    provider: answer.target.provider,
    usage: answer.usage,
    costUsd: answer.costUsd ?? null,
    cache: answer.cache,
  }),
  ...(fault && { error: fault }),
})

/** Results as JSON, an item a line. */
export async function* resultsAsJsonl(items: AsyncIterable<Item>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(resultOf(item))}\n`
}
