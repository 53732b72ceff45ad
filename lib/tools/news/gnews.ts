import { keyed } from '../define.ts'
import { below, readJson } from '../service-answer.ts'
import type { ServiceSettings, ToolService } from '../types.ts'
import { articleList, articlesOf } from './news-api.ts'
import type { NewsArguments } from './tool.ts'

/** GNews. Source: https://docs.gnews.io/endpoints/search-endpoint */
export const gnews = (settings: ServiceSettings): ToolService<NewsArguments> => ({
  name: 'gnews',
  ...keyed(settings, 'GNEWS_API_KEY'),
  attribution: 'News by GNews.io',
  rate: { limit: 1, windowMs: 1_000 },
  async ask(input, fetch) {
    const { query: q, language: lang, limit: max } = input
    const url = below(settings.baseUrl, '/api/v4/search', { q, lang, max, apikey: settings.key ?? '' })
    return articlesOf(readJson(articleList, await fetch({ url })), input)
  },
})
