import { GatewayError } from '../errors.ts'

const MOST_TAGS = 10

/** The format of a tag, as text and as a pattern. */
export const TAG = /^[\w.:/-]{1,64}$/
export const TAG_RULE = 'must be 1 to 64 letters, digits or . _ : / -'

/**
 * The tags of a header's value, separated by commas.
 * @throws GatewayError INVALID_INPUT for more than 10, or a malformed one; it names the index.
 */
export const tagsOrThrow = (header: string, value: string): readonly string[] => {
  const tags = value.split(',', MOST_TAGS + 1).map(tag => tag.trim())
  const fault =
    tags.length > MOST_TAGS
      ? `must hold at most ${MOST_TAGS} tags`
      : tags.some(tag => !TAG.test(tag)) && `tag ${tags.findIndex(tag => !TAG.test(tag)) + 1} ${TAG_RULE}`
  if (!fault) return [...new Set(tags)]
  throw new GatewayError('INVALID_INPUT', `${header}: ${fault}.`, {
    details: [{ path: header, message: fault }],
  })
}
