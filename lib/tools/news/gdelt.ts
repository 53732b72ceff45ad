import { z } from 'zod'
import { below, readJson } from '../service-answer.ts'
import { ToolFailure, type ToolService } from '../types.ts'
import { articles, type NewsArguments } from './tool.ts'

const list = z.object({
  articles: z
    .array(
      z.object({
        title: z.string().nullish(),
        url: z.string().nullish(),
        domain: z.string().nullish(),
        seendate: z.string().nullish(),
      }),
    )
    .default([]),
})

const LANGUAGES: Readonly<Record<string, string>> = {
  ar: 'arabic',
  de: 'german',
  en: 'english',
  es: 'spanish',
  fr: 'french',
  it: 'italian',
  ja: 'japanese',
  nl: 'dutch',
  pl: 'polish',
  pt: 'portuguese',
  ru: 'russian',
  zh: 'chinese',
}

/** Words of the query as they are: the service has operators such as brackets and quotes. */
const queryOf = ({ query, language }: NewsArguments): string => {
  const words = query.replaceAll(/[^\p{L}\p{N}\s.-]+/gu, ' ').trim()
  if (!/[\p{L}\p{N}]/u.test(words)) throw new ToolFailure('arguments', 'The query has no words.')
  const name = LANGUAGES[language ?? '']
  return name === undefined ? words : `${words} sourcelang:${name}`
}

/** `20261128T101500Z` as ISO 8601. */
const timeOf = (seen: string | null | undefined): string | undefined =>
  seen?.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')

/** The GDELT Project's search, which needs no key. Source: https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts */
export const gdelt = (baseUrl: string): ToolService<NewsArguments> => ({
  name: 'gdelt',
  attribution: 'News by the GDELT Project (https://www.gdeltproject.org)',
  rate: { limit: 1, windowMs: 5_000 },
  async ask(input, fetch) {
    const url = below(baseUrl, '/api/v2/doc/doc', {
      query: queryOf(input),
      mode: 'ArtList',
      format: 'json',
      sort: 'DateDesc',
      maxrecords: input.limit,
    })
    const { articles: found } = readJson(list, await fetch({ url }))
    return articles(
      found.map(({ title, url: address, domain, seendate }) => ({
        title,
        url: address,
        source: domain,
        publishedAt: timeOf(seendate),
      })),
      input,
    )
  },
})
