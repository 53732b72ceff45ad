import { z } from 'zod'
import { keyed } from '../define.ts'
import { below, readJson, shown } from '../service-answer.ts'
import { type ServiceFetch, type ServiceSettings, ToolFailure, type ToolService } from '../types.ts'
import type { Weather, WeatherArguments } from './tool.ts'

const found = z.array(
  z.object({ name: z.string(), lat: z.number(), lon: z.number(), country: z.string().nullish() }),
)

const current = z.object({
  weather: z.array(z.object({ description: z.string() })).default([]),
  main: z.object({
    temp: z.number(),
    feels_like: z.number().nullish(),
    humidity: z.number().nullish(),
  }),
  wind: z.object({ speed: z.number().nullish() }).nullish(),
  dt: z.number().nullish(),
  name: z.string().nullish(),
  sys: z.object({ country: z.string().nullish() }).nullish(),
})

const KMH_PER_MS = 3.6

type Settings = Readonly<{ baseUrl: string; key: string }>

const placeOf = async (
  { location = '', latitude, longitude }: WeatherArguments,
  { baseUrl, key }: Settings,
  fetch: ServiceFetch,
): Promise<Weather['location']> => {
  if (latitude !== undefined && longitude !== undefined) return { latitude, longitude }
  const url = below(baseUrl, '/geo/1.0/direct', { q: location, limit: 1, appid: key })
  const [first] = readJson(found, await fetch({ url }))
  if (!first) throw new ToolFailure('arguments', 'There is no place of that name.')
  return {
    name: shown(first.name, 200) ?? '',
    latitude: first.lat,
    longitude: first.lon,
    ...(first.country && { country: shown(first.country, 200) ?? '' }),
  }
}

const windSpeedOf = (speed: number | null | undefined, isImperial: boolean): number | undefined => {
  if (speed === null || speed === undefined) return undefined
  return isImperial ? speed : Math.round(speed * KMH_PER_MS * 10) / 10
}

const timeOf = (seconds: number): string | undefined => {
  const time = new Date(seconds * 1_000)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}

/** OpenWeather. Source: https://openweathermap.org/current */
export const openWeather = (settings: ServiceSettings): ToolService<WeatherArguments> => ({
  name: 'openweather',
  ...keyed(settings, 'OPENWEATHER_API_KEY'),
  attribution: 'Weather data provided by OpenWeather',
  rate: { limit: 60, windowMs: 60_000 },
  async ask(input, fetch): Promise<Weather> {
    const { baseUrl, key = '' } = settings
    const isImperial = input.units === 'imperial'
    const location = await placeOf(input, { baseUrl, key }, fetch)
    const { latitude: lat, longitude: lon } = location
    const url = below(baseUrl, '/data/2.5/weather', { lat, lon, units: input.units, appid: key })
    const { weather, main, wind, dt, name, sys } = readJson(current, await fetch({ url }))
    return {
      location: {
        ...(name && { name: shown(name, 200) ?? '' }),
        ...(sys?.country && { country: shown(sys.country, 200) ?? '' }),
        ...location,
      },
      conditions: shown(weather[0]?.description, 200),
      temperature: main.temp,
      temperatureUnit: isImperial ? '°F' : '°C',
      feelsLike: main.feels_like ?? undefined,
      humidityPercent: main.humidity ?? undefined,
      windSpeed: windSpeedOf(wind?.speed, isImperial),
      windSpeedUnit: isImperial ? 'mph' : 'km/h',
      observedAt: dt === null || dt === undefined ? undefined : timeOf(dt),
    }
  },
})
