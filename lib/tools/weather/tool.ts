import { z } from 'zod'
import { defineTool, line } from '../define.ts'
import type { Tool, ToolService } from '../types.ts'

const schema = z
  .strictObject({
    location: line(120).optional().describe('A place, such as "Berlin" or "Paris, France".'),
    latitude: z.number().min(-90).max(90).optional().describe('In place of a location, with longitude.'),
    longitude: z.number().min(-180).max(180).optional(),
    units: z.enum(['metric', 'imperial']).default('metric').describe('°C and km/h, or °F and mph.'),
  })
  .check(({ value, issues }) => {
    const { location, latitude, longitude } = value
    if ((latitude === undefined) !== (longitude === undefined))
      issues.push({ code: 'custom', path: ['longitude'], message: 'and latitude go together', input: value })
    if ((location === undefined) === (latitude === undefined))
      issues.push({
        code: 'custom',
        path: ['location'],
        message: 'or latitude and longitude: give exactly one of them',
        input: value,
      })
  })

export type WeatherArguments = z.output<typeof schema>

/** What every weather service makes of its answer. */
export type Weather = Readonly<{
  location: Readonly<{ name?: string; country?: string; latitude: number; longitude: number }>
  conditions?: string | undefined
  temperature: number
  temperatureUnit: '°C' | '°F'
  feelsLike?: number | undefined
  humidityPercent?: number | undefined
  windSpeed?: number | undefined
  windSpeedUnit?: 'km/h' | 'mph' | undefined
  observedAt?: string | undefined
}>

export const weatherTool = (services: readonly ToolService<WeatherArguments>[], version: string): Tool =>
  defineTool({
    name: 'weather',
    description: 'The current weather at a place.',
    schema,
    lifeMinutes: 10,
    services,
    version,
  })
