import type { Call } from '../llm/types.ts'

const AN_HOUR = '"1h"'

const isForAnHour = ({ cacheControl }: Readonly<{ cacheControl?: object }>): boolean =>
  cacheControl !== undefined && JSON.stringify(cacheControl).includes(AN_HOUR)

/**
 * Whether a call may have its vendor keep the prompt for an hour, which costs more: a body says so in words that pass
 * on, a call without one by its parts and tools.
 */
export const writesForAnHour = ({ raw, messages, parameters }: Call): boolean =>
  raw
    ? raw.json.includes(AN_HOUR)
    : messages.some(
        ({ content }) =>
          typeof content !== 'string' && content.some(part => 'cacheControl' in part && isForAnHour(part)),
      ) || (parameters?.tools ?? []).some(isForAnHour)
