import type { Call } from '../../types.ts'

/** What a model makes of a temperature; ours go from 0 to 2. */
export type TemperatureRange = Readonly<{
  /** The highest one it takes; 2 when absent. */
  highestTemperature?: number
  /** It takes none but its own. */
  isFixed?: boolean
}>

const OWN_TEMPERATURE = 1

/** What to send: the temperature asked for, the nearest one that is taken, or none. */
export const temperatureFor = (
  { temperature }: Call,
  { highestTemperature = 2, isFixed }: TemperatureRange,
): number | undefined =>
  temperature === undefined || isFixed ? undefined : Math.min(temperature, highestTemperature)

/** What to say about it where it is not what was asked for. */
export const temperatureWarnings = (call: Call, range: TemperatureRange): readonly string[] => {
  const asked = call.temperature
  const sent = temperatureFor(call, range)
  if (asked === sent || (sent === undefined && asked === OWN_TEMPERATURE)) return []
  return sent === undefined
    ? ['This model takes no temperature; it answered with its own.']
    : [`This model takes a temperature of at most ${sent}; that was used in place of ${asked}.`]
}
