import { keyed } from '../define.ts'
import { below, readJson } from '../service-answer.ts'
import type { ServiceSettings, ToolService } from '../types.ts'
import { foundPages, pages, type SearchArguments } from './tool.ts'

/** Tavily. Source: https://docs.tavily.com/documentation/api-reference/endpoint/search */
export const tavily = (settings: ServiceSettings): ToolService<SearchArguments> => ({
  name: 'tavily',
  ...keyed(settings, 'TAVILY_API_KEY'),
  attribution: 'Search by Tavily',
  rate: { limit: 100, windowMs: 60_000 },
  async ask(input, fetch) {
    const answer = await fetch({
      method: 'POST',
      url: below(settings.baseUrl, '/search'),
      headers: { authorization: `Bearer ${settings.key ?? ''}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: input.query, max_results: input.limit }),
    })
    return pages(readJson(foundPages, answer).results, input)
  },
})
