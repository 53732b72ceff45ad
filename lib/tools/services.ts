import { hash } from 'node:crypto'
import { exchangeRateApi } from './currency/exchange-rate-api.ts'
import { frankfurter } from './currency/frankfurter.ts'
import { openErApi } from './currency/open-er-api.ts'
import { currencyTool } from './currency/tool.ts'
import { gdelt } from './news/gdelt.ts'
import { gnews } from './news/gnews.ts'
import { newsApi } from './news/news-api.ts'
import { rss } from './news/rss.ts'
import { newsTool } from './news/tool.ts'
import { googlePlaces } from './places/google-places.ts'
import { nominatim } from './places/nominatim.ts'
import { placesTool } from './places/tool.ts'
import { brave } from './search/brave.ts'
import { searxng } from './search/searxng.ts'
import { tavily } from './search/tavily.ts'
import { searchTool } from './search/tool.ts'
import { wikipedia } from './search/wikipedia.ts'
import type { ServiceSettings, Tool } from './types.ts'
import { openMeteo } from './weather/open-meteo.ts'
import { openWeather } from './weather/openweather.ts'
import { weatherTool } from './weather/tool.ts'

/** Where the services are, and their keys. */
export type ServicesSettings = Readonly<{
  openWeather: ServiceSettings
  openMeteo: string
  openMeteoGeocoding: string
  exchangeRateApi: ServiceSettings
  frankfurter: string
  openErApi: string
  newsApi: ServiceSettings
  gnews: ServiceSettings
  rssFeeds: readonly string[]
  gdelt: string
  tavily: ServiceSettings
  brave: ServiceSettings
  searxng: string | undefined
  wikipedia: string
  googlePlaces: ServiceSettings
  nominatim: string
}>

/** The gateway's own tools. Services with a key come first: those whose key is not set are passed over. */
export const builtInTools = (settings: ServicesSettings): readonly Tool[] => {
  const version = hash('sha256', JSON.stringify(settings), 'base64url')
  return [
    weatherTool(
      [openWeather(settings.openWeather), openMeteo(settings.openMeteo, settings.openMeteoGeocoding)],
      version,
    ),
    currencyTool(
      [
        exchangeRateApi(settings.exchangeRateApi),
        frankfurter(settings.frankfurter),
        openErApi(settings.openErApi),
      ],
      version,
    ),
    newsTool(
      [newsApi(settings.newsApi), gnews(settings.gnews), rss(settings.rssFeeds), gdelt(settings.gdelt)],
      version,
    ),
    searchTool(
      [
        tavily(settings.tavily),
        brave(settings.brave),
        searxng(settings.searxng),
        wikipedia(settings.wikipedia),
      ],
      version,
    ),
    placesTool([googlePlaces(settings.googlePlaces), nominatim(settings.nominatim)], version),
  ]
}
