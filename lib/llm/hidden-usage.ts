import { withoutMember } from '../raw-json.ts'

const USAGE = '"usage"'
/** The member `usage` of all chunks but the last one where a stream's usage is asked for. */
const NULL_USAGE = /,\s*"usage"\s*:\s*null(?=\s*[,}])/

/**
 * A chunk without its usage, for a client that did not ask for it; everything else as it was written.
 *
 * @param json a JSON object's text
 */
export const withoutUsage = (json: string): string => {
  const rest = json.replace(NULL_USAGE, '')
  return rest.includes(USAGE) ? withoutMember(rest, 'usage') : rest
}
