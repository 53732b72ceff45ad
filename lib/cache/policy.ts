import { hash } from 'node:crypto'
import { ownerOf } from '../caller.ts'
import { canonicalJson } from '../canonical-json.ts'
import type { Clock } from '../clock.ts'
import type { Handler, Policy } from '../compose.ts'
import { GatewayError, isProvidersFault } from '../errors.ts'
import type { CacheTrace, Call, RawMembers, Reply, ReplyHead } from '../llm/types.ts'
import { waited } from '../request-context.ts'
import type { CacheRules } from './rules.ts'
import type { CacheRuntime } from './runtime.ts'
import {
  allTags,
  isOutdated,
  isValid,
  type Question,
  replayed,
  type StoredReply,
  usableUntil,
} from './stored-replies.ts'

export type CacheDeps = CacheRuntime & Readonly<{ rules: CacheRules; clock: Clock }>

const COUNTED = { hit: 'hits', miss: 'misses', stale: 'stale', bypass: 'bypassed' } as const
const BYPASSED: CacheTrace = { forwarded: 'bypass' }
const ON_REQUEST: CacheTrace = { forwarded: 'request' }
const MISSED: CacheTrace = { forwarded: 'miss' }
const TOO_OLD: CacheTrace = { forwarded: 'stale' }
const COLLAPSED: CacheTrace = { forwarded: 'miss', collapsed: true }

const withCacheStatus = (reply: Reply, cache: ReplyHead['cache'], cacheTrace: CacheTrace): Reply => ({
  ...reply,
  head: { ...reply.head, cache, cacheTrace },
})

/** A call's cache lookup; undefined when the call bypasses the cache. */
const questionOf = async (call: Call, deps: CacheDeps): Promise<Question | undefined> => {
  if (call.cache === 'no-store') return undefined
  const resolved = deps.rules(call.model, call.cacheKind)
  const key = cacheKey(call)
  if (key !== undefined && call.cache === 'default') call.journal.question = key
  if (!resolved || key === undefined) return undefined
  const generation = await deps.generations.now()
  return (
    generation && {
      key,
      model: call.model,
      resolved,
      generation,
      tags: allTags(resolved.tags, call.cacheTags),
    }
  )
}

/** Whether a stale answer is better than this failure. */
const mayServeStale = (error: unknown): error is GatewayError =>
  error instanceof GatewayError && (isProvidersFault(error) || error.code === 'MODEL_UNAVAILABLE')

/** Until when an answer is as good as a new one, in clock time. */
const freshUntilOf = (stored: StoredReply, { resolved }: Question): number =>
  Math.min(stored.storedAt + resolved.ttlMs, usableUntil(stored))

/** The reply of another call, for which this one waits as for an upstream. */
const joinReply = async (
  call: Call,
  joined: Promise<Reply>,
  { clock, counts }: CacheDeps,
): Promise<Reply> => {
  const wait = { startedAt: clock.now(), endedAt: 0 }
  try {
    const reply = await joined
    if (reply.head.cache === 'hit') counts.coalesced += 1
    return reply.head.cache === 'hit' ? reply : withCacheStatus(reply, 'miss', COLLAPSED)
  } finally {
    wait.endedAt = clock.now()
    call.journal.joined = wait
    call.journal.firstContentAt = wait.endedAt
  }
}

/**
 * Reuses the answer to a question that this caller has asked before, and merges concurrent calls with the same question
 * into one upstream call. A stale answer is served where the model's rule allows it: at once, while a new one is
 * fetched; or in place of a provider's failure. Only complete answers are stored; a streamed and a whole answer share
 * one entry.
 */
export const cache = (deps: CacheDeps | undefined): Policy<Call, Reply> => {
  if (!deps)
    return async function cache(call, next) {
      return withCacheStatus(await next(call), 'bypass', BYPASSED)
    }
  const { replies, inFlight, refreshes, counts, clock } = deps

  const usable = async (question: Question): Promise<StoredReply | undefined> => {
    const found = await replies.find(question)
    return found && !isOutdated(found, clock.now()) ? found : undefined
  }

  const askUpstream = async (question: Question, call: Call, next: Handler<Call, Reply>, why: CacheTrace) => {
    const joined = inFlight.join(question, call)
    if (joined) return joinReply(call, joined, deps)
    return withCacheStatus(await inFlight.lead(question, call, next), 'miss', why)
  }

  /** Calls upstream although there is a stale answer, which replaces a failure where the rule allows its age. */
  const askOrServeStale = async (
    question: Question,
    call: Call,
    next: Handler<Call, Reply>,
    stored: StoredReply,
  ) => {
    const { ttlMs, staleIfErrorMs } = question.resolved
    const freshUntil = stored.storedAt + ttlMs
    try {
      return await askUpstream(question, call, next, TOO_OLD)
    } catch (error) {
      const isInTime = clock.now() <= freshUntil + staleIfErrorMs
      if (!isInTime || call.signal.aborted || !mayServeStale(error)) throw error
      // It may have been invalidated during the call.
      const generation = await deps.generations.now()
      if (!generation || !isValid(stored, { ...question, generation })) throw error
      return replayed(stored, 'stale', { ...TOO_OLD, freshUntil, detail: error.code })
    }
  }

  /** The stored answer to a question; undefined where the call wants a new one. */
  const lookedUp = async (call: Call) => {
    const startedAt = clock.now()
    const question = await questionOf(call, deps)
    if (!question) return undefined
    const stored = call.cache === 'refresh' ? undefined : await usable(question)
    waited(call.journal, 'cache', clock.now() - startedAt)
    return { question, stored }
  }

  const answer = async (
    { question, stored: found }: Readonly<{ question: Question; stored: StoredReply | undefined }>,
    call: Call,
    next: Handler<Call, Reply>,
  ): Promise<Reply> => {
    if (call.cache === 'refresh')
      return withCacheStatus(inFlight.store(question, await next(call)).reply, 'miss', ON_REQUEST)
    const isFresh = found && clock.now() <= freshUntilOf(found, question)
    const stored = !isFresh && inFlight.wasJustStored(question, call) ? await usable(question) : found
    if (!stored) return askUpstream(question, call, next, MISSED)
    const now = clock.now()
    const { staleWhileRevalidateMs } = question.resolved
    const freshUntil = freshUntilOf(stored, question)
    // The next answer gets the tags of this one too.
    const again = { ...question, tags: allTags(question.tags, stored.tags) }
    if (now > freshUntil + staleWhileRevalidateMs) return askOrServeStale(again, call, next, stored)
    void replies.addTags(question, stored, now)
    if (now <= freshUntil) return replayed(stored, 'hit', { freshUntil })
    refreshes.start(again, call, next)
    return replayed(stored, 'stale', { freshUntil, detail: 'revalidating' })
  }

  return async function cache(call, next) {
    const found = await lookedUp(call)
    const reply = found
      ? await answer(found, call, next)
      : withCacheStatus(await next(call), 'bypass', BYPASSED)
    counts[COUNTED[reply.head.cache]] += 1
    return reply
  }
}

/** Changes whenever an answer stored by an older version must not be found by a newer one. */
const VERSION = 2

/**
 * Whether each field of a call shapes its answer. A field that is added to `Call` must be classified here: one that is
 * missing from the key by mistake returns the answer to another question.
 */
const SHAPES_THE_ANSWER: Readonly<Record<keyof Call, boolean>> = {
  model: true,
  messages: true,
  temperature: true,
  maxOutputTokens: true,
  maxResponseBytes: true,
  parameters: true,
  gatewayTools: true,
  raw: true,
  formatHeaders: true,
  passthrough: true,
  strict: true,
  rules: true,

  // A fallback's answer is never stored, so this does not affect stored ones.
  attempts: false,
  account: false,
  background: false,
  fallback: false,
  resume: false,
  isFallback: false,
  stream: false,
  cache: false,
  cacheTags: false,
  cacheKind: false,
  deadlineAt: false,
  plan: false,
  requestId: false,
  route: false,
  surface: false,
  client: false,
  caller: false,
  signal: false,
  traceparent: false,
  startedAt: false,
  journal: false,
  reservation: false,
}

const SHAPING = (Object.keys(SHAPES_THE_ANSWER) as (keyof Call)[])
  .filter(name => SHAPES_THE_ANSWER[name])
  .toSorted()

/** A body that is passed on as it is says all the rest itself. */
const SHAPING_RAW = [
  'maxResponseBytes',
  'model',
  'raw',
  'rules',
  'strict',
] as const satisfies readonly (keyof Call)[]
/** What a body asks: its format, its headers, its text, and the answers that it refers to. */
const rawQuestion = (raw: Call['raw']): unknown =>
  raw && [raw.format, raw.headers, raw.json, raw.resolved?.members]
/** Members that shape the answer to a request beside chat, whose body says the rest itself. */
const SHAPING_PASSTHROUGH = ['model', 'passthrough', 'rules'] as const satisfies readonly (keyof Call)[]
/** Longer bodies are not looked up: hashing one would hold up other requests. */
const LONGEST_RAW = 1_048_576

const shapingOf = ({ raw, passthrough }: Call): readonly (keyof Call)[] => {
  if (passthrough) return SHAPING_PASSTHROUGH
  return raw ? SHAPING_RAW : SHAPING
}

const lengthOf = (members: RawMembers): number =>
  members.reduce((length, [name, value]) => length + name.length + value.length, 0)

const bodyLengthOf = ({ raw, passthrough }: Call): number => {
  if (raw) return raw.json.length + lengthOf(raw.resolved?.members ?? [])
  return passthrough?.body.kind === 'json' ? lengthOf(passthrough.body.members) : 0
}

/**
 * The cache key: equal for the same question of the same caller, from everything that shapes the answer and nothing of
 * its transport. Absent where the caller cannot be identified, or the body is too long.
 */
export const cacheKey = (call: Call): string | undefined => {
  const owner = ownerOf(call.caller)
  if (owner === undefined || bodyLengthOf(call) > LONGEST_RAW) return undefined
  let question = `${VERSION} ${JSON.stringify(owner)}`
  for (const name of shapingOf(call))
    question += `,${canonicalJson(name === 'raw' ? rawQuestion(call.raw) : call[name])}`
  return hash('sha256', question, 'base64url')
}
