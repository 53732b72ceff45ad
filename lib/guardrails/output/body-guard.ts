import { GatewayError } from '../../errors.ts'
import { charactersOf, collectEvents, oneGroup } from '../../llm/events.ts'
import type { Endpoint } from '../../llm/passthrough.ts'
import type { Call, EventGroup, Reply, ReplyEvent } from '../../llm/types.ts'
import { inTurns } from '../../loop-turns.ts'
import { memberIn } from '../../raw-json.ts'
import { verdictsOfJudges } from '../judged.ts'
import { Decisions, type GuardrailDeps } from '../policy.ts'
import { isForOutput, type Profile } from '../profile.ts'
import { type Placeholders, placeholderKind, restore, withSpansReplaced } from '../redact.ts'
import type { Verdict } from '../types.ts'
import { type BodyTexts, textsOfBody, type WordChange } from './body-texts.ts'
import { redactionsOf } from './judged-answer.ts'

/** The endpoints beside chat whose answers are text. */
const WITH_TEXT: ReadonlySet<Endpoint> = new Set([
  'completions',
  'audio/transcriptions',
  'audio/translations',
  'rerank',
])
const LONGEST = 16_777_216

/** Whether a call's answer is a body of text, which is read and rewritten as a whole. */
export const hasTextBody = ({ passthrough }: Call): boolean =>
  passthrough !== undefined && WITH_TEXT.has(passthrough.endpoint)

/** Log probabilities spell an answer once more, by the names of their members too. */
export const assertNoLogprobs = ({ passthrough }: Call): void => {
  if (passthrough?.endpoint !== 'completions' || passthrough.body.kind !== 'json') return
  const wanted = memberIn(passthrough.body.members, 'logprobs')
  if (wanted !== undefined && wanted !== 'null' && wanted !== 'false')
    throw new GatewayError('INVALID_INPUT', 'Guardrails that change answers allow no log probabilities.', {
      details: [{ path: 'logprobs', message: 'must be absent' }],
    })
}

const bodyOf = (events: EventGroup): string => {
  const chunks = events.flatMap((event): Uint8Array[] => {
    if (event.type === 'body-text') return [Buffer.from(event.text)]
    return event.type === 'body-bytes' ? [event.bytes] : []
  })
  return Buffer.concat(chunks).toString('utf8')
}

type ReadBody = Readonly<{ reply: Reply; events: readonly ReplyEvent[]; content: BodyTexts }>

/** An answer that has been read to its end, before any of it leaves. Rejects with what ends it. */
const readBody = async (reply: Reply): Promise<ReadBody> => {
  const events = await collectEvents(reply)
  if (events.reduce((sum, event) => sum + charactersOf(event), 0) > LONGEST)
    throw new GatewayError('CONTENT_BLOCKED', 'The answer is too long for the guardrails to check.')
  return { reply, events, content: await inTurns(textsOfBody(bodyOf(events), reply.head.mediaType)) }
}

/** The answer with other texts in place of some of its own. */
const written = async (
  { reply, events, content }: ReadBody,
  changed: ReadonlyMap<string, string>,
  words: WordChange,
): Promise<Reply> => {
  if (changed.size === 0) return { ...reply, events: oneGroup(events) }
  const text = await content.withTexts(changed, words)
  const body: ReplyEvent = events.some(({ type }) => type === 'body-text')
    ? { type: 'body-text', text }
    : { type: 'body-bytes', bytes: Buffer.from(text) }
  const others = events.filter(({ type }) => type !== 'body-text' && type !== 'body-bytes')
  return { ...reply, events: oneGroup([body, ...others]) }
}

/** Looks at the texts of a body with the local rails, and then with the judges. */
class BodyGuard {
  readonly #call: Call
  readonly #profile: Profile
  readonly #deps: GuardrailDeps
  readonly #decisions: Decisions
  /** What texts have become. */
  readonly #changed = new Map<string, string>()

  constructor(call: Call, profile: Profile, deps: GuardrailDeps) {
    this.#call = call
    this.#profile = profile
    this.#deps = deps
    this.#decisions = new Decisions(call, profile, deps)
  }

  /** The texts that are replaced, with what stands in their place. Rejects with CONTENT_BLOCKED. */
  async changesOf(texts: readonly string[]): Promise<ReadonlyMap<string, string>> {
    for (const text of texts) await this.#askRails(text)
    if (this.#profile.settings.judges?.some(isForOutput)) await this.#askJudges(texts)
    return this.#changed
  }

  async #askRails(text: string): Promise<void> {
    const { version, output } = this.#profile
    const found = await inTurns(this.#deps.memory.inspect({ text, place: 'answer' }, output, version))
    await this.#redact(text, redactionsOf([{ text, place: 'answer' }], [found], this.#decisions)[0])
  }

  async #askJudges(texts: readonly string[]): Promise<void> {
    const current = texts.map(text => ({ text: this.#changed.get(text) ?? text, place: 'answer' as const }))
    const found = await verdictsOfJudges(current, this.#profile, this.#deps, this.#call.signal)
    const redactions = redactionsOf(current, found, this.#decisions)
    for (const [index, text] of texts.entries()) await this.#redact(text, redactions[index])
  }

  async #redact(text: string, spans: readonly Verdict[] = []): Promise<void> {
    if (spans.length === 0) return
    const current = this.#changed.get(text) ?? text
    this.#changed.set(text, await inTurns(withSpansReplaced(current, spans, placeholderKind)))
  }
}

/** The answer with the texts of its body guarded. Rejects with CONTENT_BLOCKED. */
export const guardedBody = async (
  reply: Reply,
  call: Call,
  profile: Profile,
  deps: GuardrailDeps,
): Promise<Reply> => {
  const read = await readBody(reply)
  const changed = await new BodyGuard(call, profile, deps).changesOf(read.content.texts)
  return written(read, changed, { word: () => '', emptiesCodes: true })
}

async function* observed(
  { events }: Reply,
  onEnd: (body: string) => Promise<void>,
): AsyncGenerator<EventGroup> {
  const seen: ReplyEvent[] = []
  let length = 0
  for await (const group of events) {
    for (const event of group) {
      length += charactersOf(event)
      if (length <= LONGEST) seen.push(event)
      if (event.type === 'finish' || event.type === 'error') await onEnd(bodyOf(seen))
    }
    yield group
  }
}

/** The answer as it is; its texts are looked at when it ends, and findings are only reported. */
export const observedBody = (reply: Reply, call: Call, profile: Profile, deps: GuardrailDeps): Reply => ({
  ...reply,
  events: observed(reply, async body => {
    const { texts } = await inTurns(textsOfBody(body, reply.head.mediaType))
    await new BodyGuard(call, profile, deps).changesOf(texts)
  }),
})

/** Values that a request was redacted of are put back into the body of its answer. */
export const restoredBody = async (reply: Reply, placeholders: Placeholders): Promise<Reply> => {
  const read = await readBody(reply)
  const changed = read.content.texts
    .map(text => [text, restore(text, placeholders)] as const)
    .filter(([text, restored]) => text !== restored)
  return written(read, new Map(changed), {
    word: word => restore(word, placeholders),
    emptiesCodes: false,
  })
}
