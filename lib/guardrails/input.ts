import { ownerOf } from '../caller.ts'
import { sleep } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import { transform } from '../llm/events.ts'
import type { Call, Reply } from '../llm/types.ts'
import { atOnce, inTurns, type Steps } from '../loop-turns.ts'
import { refuseModel } from './allowed-models.ts'
import { mediaOf } from './call/media.ts'
import { textsOfCall, withTextsOfCall } from './call/texts.ts'
import { blocked } from './findings.ts'
import { withTurns } from './inspect.ts'
import { verdictsOfJudges } from './judged.ts'
import { assertRewritable } from './output/answer-forms.ts'
import { AnswerRestorer } from './output/answer-restorer.ts'
import { hasTextBody, restoredBody } from './output/body-guard.ts'
import { Decisions, type GuardrailDeps } from './policy.ts'
import type { Profile } from './profile.ts'
import { NO_PLACEHOLDERS, type Placeholders, Redactor } from './redact.ts'
import type { Place, PlacedText, Verdict } from './types.ts'

/** A caller that repeats itself waits so long at most. */
const LONGEST_SLOWDOWN_MS = 5_000

type Guarded = Readonly<{ call: Call; placeholders: Placeholders; warnings: readonly string[] }>

/** Refuses or slows a caller that sends the same again and again. Rejects with RATE_LIMITED. */
const repeated = async (call: Call, texts: readonly PlacedText[], profile: Profile, deps: GuardrailDeps) => {
  const owner = ownerOf(call.caller)
  const limits = profile.settings.duplicates
  const duplicates = deps.duplicatesOf(profile)
  if (!limits || !duplicates || owner === undefined || call.background) return
  const content = [...texts.map(({ text }) => text), ...(await mediaOf(call))].join('\u0000')
  const { isTooOften, retryAfterMs } = duplicates.record(owner, content)
  if (!isTooOften || profile.settings.isShadow) return
  if (limits.action === 'slow')
    await sleep(deps.clock, Math.min(retryAfterMs, LONGEST_SLOWDOWN_MS), call.signal)
  else
    throw new GatewayError('RATE_LIMITED', 'The same content was sent too often. Please wait.', {
      retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
    })
}

/** Verdicts that are decided on in one step: well below a millisecond. */
const VERDICTS_PER_STEP = 1_024

/** A verdict on a text that stands in several places is about one of them. */
type Located = Readonly<{ verdict: Verdict; place: Place }>

/** What a call becomes by the verdicts on its texts. */
class Inspection {
  readonly replaced = new Map<string, string>()
  wantsAnotherModel = false
  readonly #redactor: Redactor
  readonly #decisions: Decisions

  constructor(decisions: Decisions, texts: readonly PlacedText[]) {
    this.#decisions = decisions
    this.#redactor = new Redactor(NO_PLACEHOLDERS, texts)
  }

  get placeholders(): Placeholders {
    return this.#redactor.placeholders
  }

  /** What a text of the call has become, for those that look at it next. */
  now(text: string): string {
    return this.replaced.get(text) ?? text
  }

  /** Decides about verdicts on what a text has become, in steps. Throws CONTENT_BLOCKED. */
  *apply(text: string, found: readonly Located[]): Steps<void> {
    const toRedact: Verdict[] = []
    for (const [index, { verdict, place }] of found.entries()) {
      if (index % VERDICTS_PER_STEP === VERDICTS_PER_STEP - 1) yield
      const action = this.#decisions.on(verdict, place, 'input')
      if (action === 'block') throw blocked(verdict, place)
      if (action === 'another-model') this.wantsAnotherModel = true
      else if (action === 'redact') toRedact.push(verdict)
    }
    if (toRedact.length > 0) this.replaced.set(text, yield* this.#redactor.redact(this.now(text), toRedact))
  }
}

type Guarding = Readonly<{ call: Call; profile: Profile; deps: GuardrailDeps }>

/** Texts that are looked at in one step where none of them takes one by itself: a millisecond or so. */
const TEXTS_PER_STEP = 16

/** Looks at all texts with the local rails, and does what they lead to. */
function* inspectedByRails(
  texts: readonly PlacedText[],
  inspection: Inspection,
  { profile: { input, version }, deps }: Guarding,
): Steps<void> {
  let looked = 0
  for (const { text, place } of texts) {
    looked += 1
    if (looked % TEXTS_PER_STEP === 0) yield
    const verdicts = yield* deps.memory.inspect({ text: inspection.now(text), place }, input, version)
    if (verdicts.length > 0)
      yield* inspection.apply(
        text,
        verdicts.map(verdict => ({ verdict, place })),
      )
  }
}

/** To look at a text takes as long as so many of its characters, beside those that it has. */
const CHARACTERS_PER_TEXT = 64

const sizeOf = (texts: readonly PlacedText[]): number =>
  texts.reduce((sum, { text }) => sum + text.length + CHARACTERS_PER_TEXT, 0)

/** Judges get the texts as they have become: what is redacted does not leave for them either. */
const inspectedByJudges = async (
  texts: readonly PlacedText[],
  inspection: Inspection,
  { call, profile, deps }: Guarding,
): Promise<void> => {
  if (!profile.settings.judges) return
  const current = texts.map(({ text, place }) => ({ text: inspection.now(text), place }))
  const found = await verdictsOfJudges(current, profile, deps, call.signal)
  const byText = Map.groupBy(
    texts.flatMap(({ text, place }, index) =>
      (found[index] ?? []).map(verdict => ({ text, verdict, place })),
    ),
    ({ text }) => text,
  )
  for (const [text, located] of byText) await inTurns(inspection.apply(text, located))
}

const textsIn = (call: Call): Promise<readonly PlacedText[]> | readonly PlacedText[] =>
  call.raw || call.passthrough ? inTurns(textsOfCall(call)) : atOnce(textsOfCall(call))

const guarded = async (
  call: Call,
  texts: readonly PlacedText[],
  profile: Profile,
  deps: GuardrailDeps,
): Promise<Guarded> => {
  const { version, settings } = profile
  if (settings.allowedModels) refuseModel(call, settings.allowedModels, deps.models)
  const decisions = new Decisions(call, profile, deps)
  const inspection = new Inspection(decisions, texts)
  const guarding = { call, profile, deps }
  const inspected = withTurns(inspectedByRails(texts, inspection, guarding), sizeOf(texts))
  if (inspected instanceof Promise) await inspected
  await inspectedByJudges(texts, inspection, guarding)
  const { replaced, placeholders, wantsAnotherModel } = inspection
  const clean = replaced.size > 0 ? await inTurns(withTextsOfCall(call, replaced)) : call
  const model = wantsAnotherModel ? (settings.anotherModel ?? call.model) : call.model
  return { call: { ...clean, model, rules: version }, placeholders, warnings: decisions.warnings }
}

const withWarnings = (reply: Reply, warnings: readonly string[]): Reply =>
  warnings.length === 0
    ? reply
    : { ...reply, head: { ...reply.head, warnings: [...(reply.head.warnings ?? []), ...warnings] } }

const wantsJson = ({ parameters }: Call): boolean => (parameters?.responseFormat?.type ?? 'text') !== 'text'

/** Values that a call's texts were redacted of are put back into the answer. */
const restored = (reply: Reply, call: Call, placeholders: Placeholders): Promise<Reply> | Reply => {
  if (placeholders.values.size === 0) return reply
  return hasTextBody(call)
    ? restoredBody(reply, placeholders)
    : transform(reply, new AnswerRestorer(placeholders, wantsJson(call)).take)
}

/**
 * Looks at what a call brings to a model before anything else is done with it, a look into the cache included: refuses
 * it, replaces sensitive data by placeholders, or sends it to another model.
 */
export const guardInput = (deps: GuardrailDeps): Policy<Call, Reply> =>
  async function guardInput(call, next) {
    const profile = deps.profileFor(call)
    if (!profile) return await next(call)
    const texts = await textsIn(call)
    await repeated(call, texts, profile, deps)
    const { call: clean, placeholders, warnings } = await guarded(call, texts, profile, deps)
    if (placeholders.values.size > 0) assertRewritable(clean)
    return withWarnings(await restored(await next(clean), clean, placeholders), warnings)
  }

/** A call as it would leave, for a provider that is only asked about it. Rejects with CONTENT_BLOCKED. */
export const guardedCall = async (call: Call, deps: GuardrailDeps): Promise<Call> => {
  const profile = deps.profileFor(call)
  if (!profile) return call
  return (await guarded(call, await textsIn(call), profile, deps)).call
}
