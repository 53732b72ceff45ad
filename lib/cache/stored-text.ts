import type { StoredReply } from './stored-reply.ts'

/** The version of the format; entries of another version are not read. */
const VERSION = 1

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isTime = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0

const isUsage = (value: unknown): boolean =>
  isFields(value) &&
  ['inputTokens', 'outputTokens'].every(name => isCount(value[name])) &&
  ['cachedInputTokens', 'cacheWriteInputTokens', 'reasoningTokens'].every(
    name => value[name] === undefined || isCount(value[name]),
  )

const isTarget = (value: unknown): boolean =>
  isFields(value) && isText(value.provider) && isText(value.model) && isText(value.name)

const isStored = (value: unknown, key: string): value is StoredReply =>
  isFields(value) &&
  value.version === VERSION &&
  value.key === key &&
  isFields(value.head) &&
  isText(value.head.id) &&
  isTarget(value.head.target) &&
  isText(value.text) &&
  isFields(value.finish) &&
  value.finish.type === 'finish' &&
  isText(value.finish.reason) &&
  isUsage(value.usage) &&
  isTime(value.storedAt) &&
  isText(value.stamp) &&
  Array.isArray(value.tags) &&
  value.tags.every(isText)

/** An answer as the text that is stored under its key. */
export const toText = (key: string, answer: StoredReply): string =>
  JSON.stringify({ ...answer, version: VERSION, key })

/**
 * Decodes a stored text. Absent where it is invalid: of another version, of another key, or foreign data.
 */
export const fromText = (key: string, text: string): StoredReply | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isStored(value, key) ? value : undefined
  } catch {
    return undefined
  }
}
