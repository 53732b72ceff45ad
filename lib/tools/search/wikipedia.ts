import { z } from 'zod'
import { below, readJson } from '../service-answer.ts'
import type { ToolService } from '../types.ts'
import { pages, type SearchArguments } from './tool.ts'

const found = z.object({
  query: z.object({
    search: z.array(z.object({ title: z.string(), snippet: z.string().nullish() })),
  }),
})

/**
 * Wikipedia's search, which needs no key: an encyclopedia in place of the web, where nothing else is set up. Source:
 * https://www.mediawiki.org/wiki/API:Search
 */
export const wikipedia = (baseUrl: string): ToolService<SearchArguments> => ({
  name: 'wikipedia',
  attribution: 'Wikipedia, CC BY-SA 4.0',
  rate: { limit: 5, windowMs: 1_000 },
  async ask(input, fetch) {
    const url = below(baseUrl, '/w/api.php', {
      action: 'query',
      list: 'search',
      format: 'json',
      srsearch: input.query,
      srlimit: input.limit,
    })
    const { query } = readJson(found, await fetch({ url }))
    return pages(
      query.search.map(({ title, snippet }) => ({
        title,
        url: below(baseUrl, `/wiki/${encodeURIComponent(title.replaceAll(' ', '_'))}`).href,
        content: snippet?.replaceAll(/<[^<>]*>/g, ''),
      })),
      input,
    )
  },
})
