import { z } from 'zod'
import { defineTool, line } from '../define.ts'
import type { Tool, ToolService } from '../types.ts'

const schema = z.strictObject({
  query: line(300).describe('A name, an address or a kind of place with a location.'),
  limit: z.int().min(1).max(10).default(5).describe('How many places.'),
})

export type PlacesArguments = z.output<typeof schema>

/** A place in the form that all services share. */
export type Place = Readonly<{
  name: string
  address?: string | undefined
  kind?: string | undefined
  latitude: number
  longitude: number
  url?: string | undefined
}>

export const placesTool = (services: readonly ToolService<PlacesArguments>[], version: string): Tool =>
  defineTool({
    name: 'places',
    description: 'Finds places: addresses, cities, shops, sights, with their coordinates.',
    schema,
    lifeMinutes: 60,
    services,
    version,
  })
