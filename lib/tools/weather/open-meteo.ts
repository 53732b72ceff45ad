import { z } from 'zod'
import { below, readJson, shown } from '../service-answer.ts'
import { type ServiceFetch, ToolFailure, type ToolService } from '../types.ts'
import type { Weather, WeatherArguments } from './tool.ts'

/** Source: WMO code table 4677, as Open-Meteo documents it. */
const CONDITIONS: Readonly<Record<number, string>> = {
  0: 'clear sky',
  1: 'mainly clear',
  2: 'partly cloudy',
  3: 'overcast',
  45: 'fog',
  48: 'depositing rime fog',
  51: 'light drizzle',
  53: 'moderate drizzle',
  55: 'dense drizzle',
  56: 'light freezing drizzle',
  57: 'dense freezing drizzle',
  61: 'slight rain',
  63: 'moderate rain',
  65: 'heavy rain',
  66: 'light freezing rain',
  67: 'heavy freezing rain',
  71: 'slight snowfall',
  73: 'moderate snowfall',
  75: 'heavy snowfall',
  77: 'snow grains',
  80: 'slight rain showers',
  81: 'moderate rain showers',
  82: 'violent rain showers',
  85: 'slight snow showers',
  86: 'heavy snow showers',
  95: 'thunderstorm',
  96: 'thunderstorm with slight hail',
  99: 'thunderstorm with heavy hail',
}

const found = z.object({
  results: z
    .array(
      z.object({
        name: z.string(),
        latitude: z.number(),
        longitude: z.number(),
        country: z.string().nullish(),
      }),
    )
    .nullish(),
})

const forecast = z.object({
  latitude: z.number().optional(),
  longitude: z.number().optional(),
  current: z.object({
    time: z.string().optional(),
    temperature_2m: z.number(),
    apparent_temperature: z.number().nullish(),
    relative_humidity_2m: z.number().nullish(),
    wind_speed_10m: z.number().nullish(),
    weather_code: z.number().nullish(),
  }),
})

const CURRENT = 'temperature_2m,apparent_temperature,relative_humidity_2m,wind_speed_10m,weather_code'

const placeOf = async (
  { location, latitude, longitude }: WeatherArguments,
  geocodingUrl: string,
  fetch: ServiceFetch,
): Promise<Weather['location']> => {
  if (latitude !== undefined && longitude !== undefined) return { latitude, longitude }
  // The service finds bare names only: "Paris, France" is searched as "Paris".
  const [name = ''] = (location ?? '').split(',')
  const url = below(geocodingUrl, '/v1/search', {
    name: name.trim(),
    count: 1,
    language: 'en',
    format: 'json',
  })
  const { results } = readJson(found, await fetch({ url }))
  const first = results?.[0]
  if (!first) throw new ToolFailure('arguments', 'There is no place of that name.')
  return {
    name: shown(first.name, 200) ?? '',
    latitude: first.latitude,
    longitude: first.longitude,
    ...(first.country && { country: shown(first.country, 200) ?? '' }),
  }
}

/** Open-Meteo, which needs no key. Source: https://open-meteo.com/en/docs */
export const openMeteo = (baseUrl: string, geocodingUrl: string): ToolService<WeatherArguments> => ({
  name: 'open-meteo',
  attribution: 'Weather data by Open-Meteo.com (CC BY 4.0)',
  rate: { limit: 600, windowMs: 60_000 },
  async ask(input, fetch): Promise<Weather> {
    const location = await placeOf(input, geocodingUrl, fetch)
    const isImperial = input.units === 'imperial'
    const { latitude, longitude } = location
    const units = isImperial ? { temperature_unit: 'fahrenheit', wind_speed_unit: 'mph' } : {}
    const url = below(baseUrl, '/v1/forecast', { latitude, longitude, current: CURRENT, ...units })
    const { current } = readJson(forecast, await fetch({ url }))
    return {
      location,
      conditions: CONDITIONS[current.weather_code ?? -1],
      temperature: current.temperature_2m,
      temperatureUnit: isImperial ? '°F' : '°C',
      feelsLike: current.apparent_temperature ?? undefined,
      humidityPercent: current.relative_humidity_2m ?? undefined,
      windSpeed: current.wind_speed_10m ?? undefined,
      windSpeedUnit: isImperial ? 'mph' : 'km/h',
      observedAt: shown(current.time, 40),
    }
  },
})
