import { z } from 'zod'
import { keyed } from '../define.ts'
import { below, readJson, shown, webAddress } from '../service-answer.ts'
import type { ServiceSettings, ToolService } from '../types.ts'
import type { Place, PlacesArguments } from './tool.ts'

const text = z.string().nullish()
/** `places` is absent where nothing is found. */
const found = z.object({
  places: z
    .array(
      z.object({
        displayName: z.object({ text: z.string() }),
        formattedAddress: text,
        primaryType: text,
        location: z.object({ latitude: z.number(), longitude: z.number() }),
        googleMapsUri: text,
      }),
    )
    .default([]),
})

const FIELDS = ['displayName', 'formattedAddress', 'primaryType', 'location', 'googleMapsUri']

/** Google Places. Source: https://developers.google.com/maps/documentation/places/web-service/text-search */
export const googlePlaces = (settings: ServiceSettings): ToolService<PlacesArguments> => ({
  name: 'google-places',
  ...keyed(settings, 'GOOGLE_PLACES_API_KEY'),
  attribution: 'Google Maps',
  rate: { limit: 10, windowMs: 1_000 },
  async ask({ query, limit }, fetch): Promise<Readonly<{ places: readonly Place[] }>> {
    const answer = await fetch({
      method: 'POST',
      url: below(settings.baseUrl, '/v1/places:searchText'),
      headers: {
        'content-type': 'application/json',
        'x-goog-api-key': settings.key ?? '',
        'x-goog-fieldmask': FIELDS.map(field => `places.${field}`).join(),
      },
      body: JSON.stringify({ textQuery: query, pageSize: limit }),
    })
    const { places } = readJson(found, answer)
    return {
      places: places.slice(0, limit).map(place => ({
        name: shown(place.displayName.text, 200) ?? '',
        address: shown(place.formattedAddress, 500),
        kind: shown(place.primaryType, 100),
        latitude: place.location.latitude,
        longitude: place.location.longitude,
        url: webAddress(place.googleMapsUri),
      })),
    }
  },
})
