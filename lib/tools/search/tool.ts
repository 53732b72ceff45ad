import { z } from 'zod'
import { defineTool, line } from '../define.ts'
import { shown, webAddress } from '../service-answer.ts'
import type { Tool, ToolService } from '../types.ts'

const schema = z.strictObject({
  query: line(400).describe('What to search for.'),
  limit: z.int().min(1).max(10).default(5).describe('How many results.'),
})

export type SearchArguments = z.output<typeof schema>

const text = z.string().nullish()
/** A result as services give it. */
const foundPage = z.object({ title: text, url: text, content: text })
export const foundPages = z.object({ results: z.array(foundPage) })

/** The pages with an address, at most so many, each in the same form. */
export const pages = (found: readonly z.output<typeof foundPage>[], { limit }: SearchArguments) => ({
  results: found
    .flatMap(({ title, url: address, content }) => {
      const url = webAddress(address)
      return url === undefined ? [] : [{ title: shown(title, 300) ?? url, url, text: shown(content, 1_500) }]
    })
    .slice(0, limit),
})

export const searchTool = (services: readonly ToolService<SearchArguments>[], version: string): Tool =>
  defineTool({
    name: 'web_search',
    description: 'Searches the web.',
    schema,
    lifeMinutes: 30,
    services,
    version,
  })
