import { GatewayError } from '../../errors.ts'
import { charactersOf, collectEvents, oneGroup } from '../../llm/events.ts'
import type { Call, EventGroup, Reply, ReplyEvent } from '../../llm/types.ts'
import { inTurns } from '../../loop-turns.ts'
import { blocked } from '../findings.ts'
import { isJson, textsIn, withStrings } from '../json-strings.ts'
import { Decisions, type GuardrailDeps } from '../policy.ts'
import type { Profile } from '../profile.ts'
import { placeholderKind, withSpansReplaced } from '../redact.ts'
import type { Verdict } from '../types.ts'

/** The endpoints beside chat whose answers are text. */
const WITH_TEXT: ReadonlySet<string> = new Set([
  'completions',
  'audio/transcriptions',
  'audio/translations',
  'rerank',
])
const LONGEST = 16_777_216

const bodyOf = (events: EventGroup): string => {
  const chunks = events.flatMap((event): Buffer[] => {
    if (event.type === 'body-text') return [Buffer.from(event.text)]
    return event.type === 'body-bytes' ? [Buffer.from(event.bytes)] : []
  })
  return Buffer.concat(chunks).toString('utf8')
}

/** The data of all events of a stream, as one JSON list; undefined where one of them is no JSON. */
const streamedJson = (body: string): string | undefined => {
  const data = body
    .split(/\r\n|\r|\n/)
    .flatMap(line => (line.startsWith('data:') ? [line.slice(5).trim()] : []))
    .filter(line => line !== '' && line !== '[DONE]')
  const list = `[${data.join()}]`
  return isJson(list) ? list : undefined
}

/** Guards the body of an answer of an endpoint beside chat: it is read to its end before any of it leaves. */
class BodyGuard {
  readonly #profile: Profile
  readonly #deps: GuardrailDeps
  readonly #decisions: Decisions

  constructor(call: Call, profile: Profile, deps: GuardrailDeps) {
    this.#profile = profile
    this.#deps = deps
    this.#decisions = new Decisions(call, profile, deps)
  }

  /** The text with placeholders in place of what is redacted. Throws CONTENT_BLOCKED. */
  async text(text: string): Promise<string> {
    const { version, output } = this.#profile
    const found = await inTurns(this.#deps.memory.inspect({ text, place: 'answer' }, output, version))
    const toRedact: Verdict[] = []
    for (const verdict of found) {
      const action = this.#decisions.on(verdict, 'answer', 'output')
      if (action === 'block' || action === 'another-model') throw blocked(verdict, 'answer')
      if (action === 'redact') toRedact.push(verdict)
    }
    return inTurns(withSpansReplaced(text, toRedact, placeholderKind))
  }

  async json(json: string): Promise<string> {
    const replaced = new Map<string, string>()
    for (const text of await inTurns(textsIn(json, () => true))) {
      const clean = await this.text(text)
      if (clean !== text) replaced.set(text, clean)
    }
    return replaced.size === 0 ? json : inTurns(withStrings(json, text => replaced.get(text)))
  }

  /** A stream says its text in pieces, in which a placeholder has no place: what would be redacted ends it. */
  async stream(body: string): Promise<string> {
    const json = streamedJson(body)
    const text = json === undefined ? body : (await inTurns(textsIn(json, key => key === 'text'))).join('')
    if ((await this.text(text)) !== text)
      throw new GatewayError('CONTENT_BLOCKED', 'The streamed answer holds text that the guardrails redact.')
    return body
  }
}

const guardedText = (guard: BodyGuard, body: string, mediaType: string): Promise<string> => {
  if (/^text\/event-stream/i.test(mediaType)) return guard.stream(body)
  return isJson(body) ? guard.json(body) : guard.text(body)
}

/** The same answer, of an endpoint whose answers are text, with its text guarded. Rejects with CONTENT_BLOCKED. */
export const guardedBody = async (
  reply: Reply,
  call: Call,
  profile: Profile,
  deps: GuardrailDeps,
): Promise<Reply> => {
  if (!call.passthrough || !WITH_TEXT.has(call.passthrough.endpoint)) return reply
  const events = await collectEvents(reply)
  if (events.reduce((sum, event) => sum + charactersOf(event), 0) > LONGEST)
    throw new GatewayError('CONTENT_BLOCKED', 'The answer is too long for the guardrails to check.')
  const body = bodyOf(events)
  const guard = new BodyGuard(call, profile, deps)
  const clean = await guardedText(guard, body, reply.head.mediaType ?? '')
  if (clean === body) return { ...reply, events: oneGroup(events) }
  const others = events.filter(({ type }) => type !== 'body-text' && type !== 'body-bytes')
  const changed: ReplyEvent = { type: 'body-bytes', bytes: Buffer.from(clean) }
  return { ...reply, events: oneGroup([changed, ...others]) }
}
