import { globMatcher } from './glob.ts'

/** Kinds of cached answers, and for how many seconds each is fresh unless a setting says otherwise. */
export const CACHE_KIND_SECONDS = {
  evaluation: 3_600,
  generation: 86_400,
  'tool-result': 300,
  'intent-classification': 600,
} as const

/** What an answer is for. It is one of the answer's tags. */
export type CacheKind = keyof typeof CACHE_KIND_SECONDS

export const CACHE_KINDS = Object.keys(CACHE_KIND_SECONDS) as readonly CacheKind[]

export const isCacheKind = (text: string): text is CacheKind => Object.hasOwn(CACHE_KIND_SECONDS, text)

/** What to say of a text that is none. */
export const CACHE_KIND_RULE = `must be one of ${CACHE_KINDS.join(', ')}`

/** The kinds whose names match a pattern, in which `*` stands for anything. */
export const kindsLike = (pattern: string): readonly CacheKind[] => CACHE_KINDS.filter(globMatcher(pattern))
