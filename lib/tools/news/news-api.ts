import { z } from 'zod'
import { keyed } from '../define.ts'
import { below, readJson } from '../service-answer.ts'
import type { ServiceSettings, ToolService } from '../types.ts'
import { articles, type NewsArguments } from './tool.ts'

const text = z.string().nullish()
/** Also the form of GNews. */
export const articleList = z.object({
  articles: z.array(
    z.object({
      title: text,
      url: text,
      description: text,
      publishedAt: text,
      source: z.object({ name: text }).nullish(),
    }),
  ),
})

export const articlesOf = ({ articles: found }: z.output<typeof articleList>, input: NewsArguments) =>
  articles(
    found.map(({ title, url, description, publishedAt, source }) => ({
      title,
      url,
      summary: description,
      publishedAt,
      source: source?.name,
    })),
    input,
  )

/** NewsAPI. Source: https://newsapi.org/docs/endpoints/everything */
export const newsApi = (settings: ServiceSettings): ToolService<NewsArguments> => ({
  name: 'newsapi',
  ...keyed(settings, 'NEWS_API_KEY'),
  attribution: 'News by NewsAPI.org',
  rate: { limit: 5, windowMs: 1_000 },
  async ask(input, fetch) {
    const { query: q, language, limit: pageSize } = input
    const url = below(settings.baseUrl, '/v2/everything', { q, language, pageSize, sortBy: 'publishedAt' })
    return articlesOf(
      readJson(articleList, await fetch({ url, headers: { 'x-api-key': settings.key ?? '' } })),
      input,
    )
  },
})
