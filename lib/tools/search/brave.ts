import { z } from 'zod'
import { keyed } from '../define.ts'
import { below, readJson } from '../service-answer.ts'
import type { ServiceSettings, ToolService } from '../types.ts'
import { pages, type SearchArguments } from './tool.ts'

const text = z.string().nullish()
/** `web` is absent where nothing is found. */
const found = z.object({
  web: z.object({ results: z.array(z.object({ title: text, url: text, description: text })) }).nullish(),
})

/** Brave Search. Source: https://api-dashboard.search.brave.com/app/documentation/web-search */
export const brave = (settings: ServiceSettings): ToolService<SearchArguments> => ({
  name: 'brave',
  ...keyed(settings, 'BRAVE_API_KEY'),
  attribution: 'Search by Brave',
  rate: { limit: 1, windowMs: 1_000 },
  async ask(input, fetch) {
    const url = below(settings.baseUrl, '/res/v1/web/search', { q: input.query, count: input.limit })
    const headers = { 'x-subscription-token': settings.key ?? '' }
    const { web } = readJson(found, await fetch({ url, headers }))
    return pages(
      (web?.results ?? []).map(({ description, ...page }) => ({ ...page, content: description })),
      input,
    )
  },
})
