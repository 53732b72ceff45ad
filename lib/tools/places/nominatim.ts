import { z } from 'zod'
import { below, readJson, shown } from '../service-answer.ts'
import type { ToolService } from '../types.ts'
import type { Place, PlacesArguments } from './tool.ts'

const coordinate = z.coerce.number().min(-180).max(180)
const found = z.array(
  z.object({
    display_name: z.string(),
    name: z.string().nullish(),
    type: z.string().nullish(),
    lat: coordinate,
    lon: coordinate,
  }),
)

/**
 * Nominatim, which needs no key, but at most one request a second of a whole installation, a User-Agent of its own,
 * caching and attribution. Source: https://operations.osmfoundation.org/policies/nominatim
 */
export const nominatim = (baseUrl: string): ToolService<PlacesArguments> => ({
  name: 'nominatim',
  attribution: '© OpenStreetMap contributors (https://www.openstreetmap.org/copyright)',
  // Longer than a second: on a busy machine a request leaves later than it was let through, and the next one in time.
  rate: { limit: 1, windowMs: 1_300 },
  async ask({ query: q, limit }, fetch): Promise<Readonly<{ places: readonly Place[] }>> {
    const url = below(baseUrl, '/search', { q, limit, format: 'jsonv2' })
    const places = readJson(found, await fetch({ url }))
    return {
      places: places.slice(0, limit).map(({ display_name: address, name, type, lat, lon }) => ({
        name: shown(name, 200) ?? shown(address.split(',')[0], 200) ?? '',
        address: shown(address, 500),
        kind: shown(type, 100),
        latitude: lat,
        longitude: lon,
      })),
    }
  },
})
