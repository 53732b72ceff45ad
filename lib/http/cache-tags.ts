import { tagsOrThrow } from '../validation/tags.ts'

const HEADER = 'x-gateway-cache-tags'

/**
 * The tags that a request gives its answer, by which it can be invalidated.
 * @throws GatewayError INVALID_INPUT for too many tags, or a malformed one.
 */
export const cacheTagsOf = ({ headers }: Request): readonly string[] | undefined => {
  const value = headers.get(HEADER)
  return value === null ? undefined : tagsOrThrow(HEADER, value)
}
