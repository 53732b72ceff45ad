/** Why a Redis command failed, in a few words without addresses, keys or values. */
export class RedisFault extends Error {
  override readonly name = 'RedisFault'
}

const WORD = /^(?:Error: |ReplyError: )?([A-Z][A-Z\d_]{2,30})\b/

/** The first words of a reply such as `OOM command not allowed`; what follows may quote the command. */
const errorWord = (message: string): string | undefined => WORD.exec(message)?.[1]

const codeOf = (error: object): string | undefined => {
  if ('code' in error && typeof error.code === 'string') return error.code
  if ('cause' in error && typeof error.cause === 'object' && error.cause !== null) return codeOf(error.cause)
  return undefined
}

/**
 * A client's error as a short, safe reason: the reply's own (`OOM`, `READONLY`), the system's (`ECONNREFUSED`), or
 * the error's name. Messages are not passed on, since REST errors quote the whole command.
 */
export const reasonOf = (error: unknown): string => {
  if (error instanceof RedisFault) return error.message
  if (!(error instanceof Error)) return 'unknown error'
  if (/enableOfflineQueue|Connection is closed|max retries per request/i.test(error.message))
    return 'not connected'
  return codeOf(error) ?? errorWord(error.message) ?? error.name
}

export const isReply = (error: unknown, word: string): boolean =>
  error instanceof Error && errorWord(error.message) === word
