import type { Call } from '../../types.ts'

const BYTES_PER_TOKEN = 4

/**
 * A rough token count where the provider reports none: four UTF-8 bytes a token, which is near for English
 * and high for most else. Usage made of it is marked `estimated`.
 */
export const estimateTokens = (utf8Bytes: number): number => Math.ceil(utf8Bytes / BYTES_PER_TOKEN)

/** A rough token count of a call's messages. */
export const estimatedInputTokens = ({ messages }: Call): number =>
  estimateTokens(messages.reduce((bytes, { content }) => bytes + Buffer.byteLength(content), 0))
