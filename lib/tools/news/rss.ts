import { assertSuccess } from '../service-answer.ts'
import { type ServiceFetch, ToolFailure, type ToolService } from '../types.ts'
import { entriesOf } from './feed.ts'
import { articles, type FoundArticle, type NewsArguments } from './tool.ts'

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

/** Whether an entry has every word of the query. */
const isAbout = ({ title, summary }: FoundArticle, query: readonly string[]): boolean => {
  const words = new Set(wordsOf(`${title ?? ''} ${summary ?? ''}`))
  return query.every(word => words.has(word))
}

/** Reads a feed. One beyond the size limit is refused: what is cut is not well-formed. */
const read = async (feed: string, fetch: ServiceFetch): Promise<readonly FoundArticle[]> => {
  const answer = await fetch({ url: new URL(feed) })
  assertSuccess(answer)
  if (answer.isCut) throw new ToolFailure('too-large', 'The feed is too large.')
  const source = new URL(feed).hostname
  return entriesOf(answer.text).map(entry => ({ ...entry, source }))
}

/** The operator's choice of feeds of RSS or Atom: those of their entries that have all words of the query. */
export const rss = (feeds: readonly string[]): ToolService<NewsArguments> => ({
  name: 'rss',
  ...(feeds.length === 0 && { missing: 'NEWS_RSS_FEEDS' }),
  rate: { limit: 5, windowMs: 1_000 },
  async ask(input, fetch) {
    const feedsRead = await Promise.allSettled(feeds.map(feed => read(feed, fetch)))
    const entries = feedsRead.flatMap(one => (one.status === 'fulfilled' ? one.value : []))
    const [failed] = feedsRead.flatMap(one => (one.status === 'rejected' ? [one.reason] : []))
    // One feed that fails does not fail the others.
    if (failed !== undefined && feedsRead.every(({ status }) => status === 'rejected')) throw failed
    const query = wordsOf(input.query)
    return articles(
      entries.filter(entry => isAbout(entry, query)),
      input,
    )
  },
})
