import type { Call } from '../../types.ts'

/** How a model handles temperatures; ours range from 0 to 2. */
export type TemperatureRange = Readonly<{
  /** The highest one it accepts; 2 when absent. */
  highestTemperature?: number
  /** It accepts only its default. */
  isFixed?: boolean
}>

const OWN_TEMPERATURE = 1

/** The temperature to send: the requested one, the nearest accepted one, or none. */
export const temperatureFor = (
  { temperature }: Call,
  { highestTemperature = 2, isFixed }: TemperatureRange,
): number | undefined =>
  temperature === undefined || isFixed ? undefined : Math.min(temperature, highestTemperature)

/** The warning where it differs from the requested one. */
export const temperatureWarnings = (call: Call, range: TemperatureRange): readonly string[] => {
  const asked = call.temperature
  const sent = temperatureFor(call, range)
  if (asked === sent || (sent === undefined && asked === OWN_TEMPERATURE)) return []
  return sent === undefined
    ? ['This model takes no temperature; it answered with its own.']
    : [`This model takes a temperature of at most ${sent}; that was used in place of ${asked}.`]
}
