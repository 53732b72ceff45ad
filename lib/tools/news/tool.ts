import { z } from 'zod'
import { defineTool, line } from '../define.ts'
import { shown, webAddress } from '../service-answer.ts'
import type { Tool, ToolService } from '../types.ts'

const schema = z.strictObject({
  query: line(200).describe('What the articles are about.'),
  language: z
    .string()
    .regex(/^[a-z]{2}$/, 'must be a language code of two letters, such as en')
    .optional()
    .describe('An ISO 639-1 code, such as en.'),
  limit: z.int().min(1).max(10).default(5).describe('How many articles.'),
})

export type NewsArguments = z.output<typeof schema>

/** An article as a service gives it. */
export type FoundArticle = Readonly<{
  title: string | null | undefined
  url: string | null | undefined
  source?: string | null | undefined
  summary?: string | null | undefined
  publishedAt?: string | null | undefined
}>

/** The articles with a title and an address, at most so many, each in the same form. */
export const articles = (found: readonly FoundArticle[], { limit }: NewsArguments) => ({
  articles: found
    .flatMap(article => {
      const title = shown(article.title, 300)
      const url = webAddress(article.url)
      if (title === undefined || url === undefined) return []
      return [
        {
          title,
          url,
          source: shown(article.source, 100),
          summary: shown(article.summary, 500),
          publishedAt: shown(article.publishedAt, 40),
        },
      ]
    })
    .slice(0, limit),
})

export const newsTool = (services: readonly ToolService<NewsArguments>[], version: string): Tool =>
  defineTool({
    name: 'news',
    description: 'Recent news articles about a subject.',
    schema,
    lifeMinutes: 15,
    services,
    version,
  })
