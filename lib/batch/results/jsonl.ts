import type { Item } from '../types.ts'
import { resultOf } from './result.ts'

/** A job's results, one JSON object a line. */
export async function* resultsAsJsonl(items: AsyncIterable<Item>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(resultOf(item))}\n`
}
