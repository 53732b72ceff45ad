import { tagsOrThrow } from '../validation/tags.ts'

const HEADER = 'x-gateway-cache-tags'

/**
 * The labels that a request gives its answer, by which it can be invalidated.
 * @throws GatewayError INVALID_INPUT for too many, or one that is not sane.
 */
export const cacheTagsOf = ({ headers }: Request): readonly string[] | undefined => {
  const value = headers.get(HEADER)
  return value === null ? undefined : tagsOrThrow(HEADER, value)
}
