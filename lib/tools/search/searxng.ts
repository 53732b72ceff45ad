import { below, readJson } from '../service-answer.ts'
import type { ToolService } from '../types.ts'
import { foundPages, pages, type SearchArguments } from './tool.ts'

/** A SearXNG of the operator's, with the format `json` switched on. Source: https://docs.searxng.org/dev/search_api */
export const searxng = (baseUrl: string | undefined): ToolService<SearchArguments> => ({
  name: 'searxng',
  ...(baseUrl === undefined && { missing: 'SEARXNG_BASE_URL' }),
  rate: { limit: 5, windowMs: 1_000 },
  async ask(input, fetch) {
    const url = below(baseUrl ?? '', '/search', { q: input.query, format: 'json' })
    return pages(readJson(foundPages, await fetch({ url })).results, input)
  },
})
