import { createHash } from 'node:crypto'
import type { Call } from '../llm/types.ts'
import type { Caller } from '../visit.ts'

/** Changes whenever an answer stored by an older version must not be found by a newer one. */
const VERSION = 1

/** Whose answers these are. Nobody else's question finds them. */
const scopeOf = (caller: Caller): string | undefined => {
  if (caller.kind === 'guest') return `guest ${caller.id}`
  return caller.address === 'unknown' ? undefined : `address ${caller.address}`
}

/**
 * What makes two calls the same question of the same caller: everything that shapes the answer, and nothing of
 * how it travels. Absent where it cannot be told who is asking.
 */
export const cacheKey = (call: Call): string | undefined => {
  const scope = scopeOf(call.caller)
  if (scope === undefined) return undefined
  const question = [
    VERSION,
    scope,
    call.model,
    call.messages.map(({ role, content }) => [role, content]),
    call.temperature ?? null,
    call.maxOutputTokens,
    call.maxResponseBytes ?? null,
  ]
  return createHash('sha256').update(JSON.stringify(question)).digest('base64url')
}
