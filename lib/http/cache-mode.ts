import type { CacheMode } from '../llm/types.ts'

const MODES: ReadonlyMap<string, CacheMode> = new Map([
  ['no-store', 'no-store'],
  ['no-cache', 'refresh'],
])

/** Whether the answer may come from the cache, by the request's `Cache-Control`. Source: RFC 9111, 5.2.1. */
export const cacheModeOf = ({ headers }: Request): CacheMode => {
  const directives = (headers.get('cache-control') ?? '').toLowerCase().split(',')
  const found = directives.flatMap(directive => MODES.get(directive.trim()) ?? [])
  return found.includes('no-store') ? 'no-store' : (found[0] ?? 'default')
}
