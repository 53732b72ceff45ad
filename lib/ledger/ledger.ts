import { type Caller, ownerOf } from '../caller.ts'
import type { Call, Target, Usage } from '../llm/types.ts'
import { nanoOfPico } from '../money.ts'
import { type Attempt, type Outcome, type RequestContext, upstreamMs } from '../request-context.ts'
import type { AttemptRow, RequestRow } from './columns.ts'
import { LEAST_CACHED_TOKENS, promptPrefix } from './prompt-prefix.ts'
import type { RequestDetail } from './types.ts'
import type { LedgerWriter } from './writer.ts'

const LONGEST_TEXT = 300

const nanoOf = (picoUsd: number | undefined): number | null =>
  picoUsd === undefined ? null : nanoOfPico(picoUsd)

/** A text of a client's as both databases can store it. */
const clean = (text: string): string =>
  text.length <= LONGEST_TEXT && text.isWellFormed() && !text.includes('\0')
    ? text
    : text.slice(0, LONGEST_TEXT).toWellFormed().replaceAll('\0', '')

/** The name under which a model's usage is summed, however requests spelled it. */
export type ModelName = (target: Target) => string

/** How a request ended. */
type LedgerEnd = Pick<Outcome, 'outcome' | 'error' | 'endedAt'> & Readonly<{ status?: number }>
type RequestKind = 'request' | 'refresh' | 'batch-item'

const keyOf = (caller: Caller) =>
  caller.kind === 'key' && caller.id !== 'unknown'
    ? { key_id: caller.id, key_name: clean(caller.name) }
    : { key_id: '', key_name: null }

const tokensOf = (usage: Usage | undefined) => ({
  input: usage?.inputTokens ?? 0,
  cached: usage?.cachedInputTokens ?? 0,
  written: usage?.cacheWriteInputTokens ?? 0,
  written_1h: usage?.cacheWrite1hInputTokens ?? 0,
  output: usage?.outputTokens ?? 0,
  reasoning: usage?.reasoningTokens ?? 0,
  audio_input: usage?.audioInputTokens ?? 0,
  audio_output: usage?.audioOutputTokens ?? 0,
  image_input: usage?.imageInputTokens ?? 0,
  estimated: usage?.estimated ? 1 : 0,
})

const callFields = (context: RequestContext, target: Target | undefined, modelName: ModelName) => {
  const { journal } = context
  const caller = journal.identity ?? context.caller
  return {
    request_id: clean(context.requestId),
    owner: ownerOf(caller) ?? '',
    caller: caller.kind,
    ...keyOf(caller),
    route: context.route,
    surface: context.surface,
    model_asked: clean(journal.model ?? ''),
    provider: target?.provider ?? '',
    model: target ? clean(modelName(target)) : '',
    arm: journal.arm ?? null,
  }
}

const unitsOf = ({ billed }: Usage) =>
  billed && billed.unit !== 'unknown'
    ? { unit: billed.unit, units: Math.round(billed.count) }
    : { unit: billed?.unit ?? null, units: null }

const whole = Math.round

/** The beginning of a prompt of which the vendor's cache neither gave nor took anything; null for other prompts. */
const prefixFields = (call: Call, usage: Usage): Pick<AttemptRow, 'prefix' | 'prefix_tokens'> => {
  const isCached = (usage.cachedInputTokens ?? 0) + (usage.cacheWriteInputTokens ?? 0) > 0
  const prefix = usage.inputTokens >= LEAST_CACHED_TOKENS && !isCached ? promptPrefix(call) : undefined
  return { prefix: prefix?.digest ?? null, prefix_tokens: prefix?.tokens ?? null }
}

/** Nothing was used, as far as is known. */
const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, costPicoUsd: 0 }

type AttemptIds = Readonly<{ id: string; request: string }>

const attemptRow = (
  call: Call,
  attempt: Attempt,
  { id, request }: AttemptIds,
  modelName: ModelName,
): AttemptRow => {
  const { target, startedAt, firstContentAt, endedAt = startedAt } = attempt
  const usage = attempt.usage ?? NO_USAGE
  return {
    id,
    request,
    ...callFields(call, target, modelName),
    vendor_model: clean(target.model),
    at: whole(attempt.accountedAt ?? startedAt),
    ended_at: whole(endedAt),
    outcome: attempt.outcome ?? 'aborted',
    code: attempt.error?.code ?? null,
    latency_ms: whole(endedAt - startedAt),
    first_content_ms: firstContentAt === undefined ? null : whole(firstContentAt - startedAt),
    ...tokensOf(usage),
    ...unitsOf(usage),
    cost_nano: nanoOf(usage.costPicoUsd),
    reported_nano: nanoOf(usage.reportedPicoUsd),
    computed_nano: nanoOf(usage.computedPicoUsd),
    price_version: usage.priceVersion ?? null,
    tier: usage.serviceTier ?? null,
    ...prefixFields(call, usage),
  }
}

/** The cost of all attempts; null where that of any is unknown. */
const costOf = (attempts: readonly Attempt[]): number | null => {
  let sum = 0
  for (const { usage = NO_USAGE } of attempts) {
    const cost = nanoOf(usage.costPicoUsd)
    if (cost === null) return null
    sum += cost
  }
  return sum
}

const roundedWaits = (waits: Readonly<Record<string, number>>): Record<string, number> => {
  const rounded: Record<string, number> = {}
  for (const name in waits) rounded[name] = whole(waits[name] ?? 0)
  return rounded
}

const detailOf = ({ journal }: RequestContext, endedAt: number): RequestDetail => ({
  ...(journal.skipped && { skipped: journal.skipped }),
  ...(journal.limit && { limit: journal.limit }),
  ...(journal.tokenLimit && { tokenLimit: journal.tokenLimit }),
  ...(journal.budget && { budget: journal.budget }),
  ...(journal.waits && { waits: roundedWaits(journal.waits) }),
  ...(journal.head?.cacheTrace && { trace: journal.head.cacheTrace }),
  ...(journal.hedge && { hedge: journal.hedge.result }),
  ...(journal.tools && { tools: journal.tools }),
  ...(journal.guardrails && { guardrails: journal.guardrails }),
  ...(journal.finishReason && { finishReason: journal.finishReason }),
  upstreamMs: whole(upstreamMs(journal, endedAt)),
})

type Ended = Readonly<{
  kind: RequestKind
  context: RequestContext
  end: LedgerEnd
  usage: Usage | undefined
}>

const requestRow = ({ kind, context, end, usage }: Ended, id: string, modelName: ModelName): RequestRow => {
  const { journal, startedAt } = context
  const { head, attempts, firstContentAt } = journal
  const target = head?.target ?? attempts.at(-1)?.target ?? journal.plan?.[0]
  return {
    id,
    ...callFields(context, target, modelName),
    at: whole(startedAt),
    ended_at: whole(end.endedAt),
    outcome: end.outcome,
    code: end.error?.code ?? null,
    latency_ms: whole(end.endedAt - startedAt),
    first_content_ms: firstContentAt === undefined ? null : whole(firstContentAt - startedAt),
    ...tokensOf(usage),
    cost_nano: costOf(attempts),
    kind,
    cache: head?.cache ?? null,
    attempts: attempts.length,
    status: end.status ?? null,
    saved_nano: nanoOf(usage?.savedPicoUsd),
    question: journal.question ?? null,
    detail: JSON.stringify(detailOf(context, end.endedAt)),
  }
}

/** Refusals by authentication and by rate limits cost nothing, and a flood of them must not become one of rows. */
const isRefusedAtTheDoor = ({ journal }: RequestContext, { error }: LedgerEnd): boolean =>
  error?.code === 'UNAUTHENTICATED' || (error?.code === 'RATE_LIMITED' && journal.plan === undefined)

/**
 * The books: a row for each attempt when it has ended, and one for each request when all its attempts have. Ids are our
 * own, so that nothing is charged twice.
 */
export class Ledger {
  readonly #writer: LedgerWriter
  readonly #newId: () => string
  readonly #modelName: ModelName
  /** Requests that have ended before their attempts: an answer may be shared with others. */
  readonly #ended = new Map<string, Ended>()

  /** @param modelName the target's own name when absent */
  constructor(writer: LedgerWriter, newId: () => string, modelName: ModelName = ({ name }) => name) {
    this.#writer = writer
    this.#newId = newId
    this.#modelName = modelName
  }

  /** To be called once for each attempt, when its usage is known. */
  attemptEnded(call: Call, attempt: Attempt): void {
    const id = this.#idOf(call)
    const ids = { id: `${id}.${attempt.number}`, request: id }
    this.#writer.addAttempt(attemptRow(call, attempt, ids, this.#modelName))
    const ended = this.#ended.get(id)
    if (ended) this.#write(ended, id)
  }

  /** To be called once for each request that has a model, when it has ended. */
  requestEnded(kind: RequestKind, context: RequestContext, end: LedgerEnd, usage: Usage | undefined): void {
    if (context.journal.model === undefined || isRefusedAtTheDoor(context, end)) return
    this.#write({ kind, context, end, usage }, this.#idOf(context))
  }

  /** Rows that are not yet in the database are written now. */
  flush(): Promise<void> {
    return this.#writer.flush()
  }

  #write(ended: Ended, id: string): void {
    if (ended.context.journal.attempts.every(({ outcome }) => outcome !== undefined)) {
      this.#ended.delete(id)
      this.#writer.addRequest(requestRow(ended, id, this.#modelName))
    } else this.#ended.set(id, ended)
  }

  #idOf({ journal }: RequestContext): string {
    journal.ledgerId ??= this.#newId()
    return journal.ledgerId
  }
}
