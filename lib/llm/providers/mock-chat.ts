import { type Clock, sleep } from '../../clock.ts'
import { type ErrorCode, GatewayError, toGatewayError } from '../../errors.ts'
import { mapInTurns } from '../../loop-turns.ts'
import { prefetched } from '../events.ts'
import { textOf } from '../message.ts'
import type { Call, FinishReason, Provider, Reply, ReplyEvent, Usage } from '../types.ts'
import { assertAllTaken, assertTranslatable, untranslatedIn } from './shared/raw-request.ts'

export type MockOptions = Readonly<{
  /** Time to the first piece. */
  latencyMs: number
  /** Time between two pieces of a stream. */
  chunkMs: number
  clock: Clock
  newId: () => string
}>

type Show = Readonly<{
  call: Call
  script: Script
  pieces: readonly string[]
  reason: FinishReason
  chunkMs: number
  clock: Clock
}>

const play = async ({ call, script, clock, chunkMs }: Show, sent: number): Promise<void> => {
  if (script.after?.pieces === sent) {
    if (script.after.fault === 'stall') return never(call.signal)
    throw new GatewayError('NETWORK', 'The connection to the mock provider failed.')
  }
  if (call.stream && sent > 0 && sent % (script.burst ?? 1) === 0) await sleep(clock, chunkMs, call.signal)
}

async function* stream(show: Show, settle: (sent: number) => void): AsyncGenerator<readonly ReplyEvent[]> {
  let sent = 0
  try {
    for (const text of show.pieces) {
      await play(show, sent)
      sent += 1
      yield [{ type: 'text-delta', text }]
    }
    yield [{ type: 'finish', reason: show.reason }]
  } catch (thrown) {
    yield [{ type: 'error', error: toGatewayError(thrown) }]
  } finally {
    settle(sent)
  }
}

/** The parts of a client's request that are left out. Throws GatewayError INVALID_INPUT where that is refused. */
const leftOut = (call: Call): readonly string[] => {
  assertTranslatable(call)
  const omitted = untranslatedIn(call)
  assertAllTaken(call, omitted)
  return omitted
}

/** The chat of the mock provider. One piece is one token, so its usage adds up with what was sent. */
export const mockChat = ({ latencyMs, chunkMs, clock, newId }: MockOptions): Provider => {
  const calls = new Map<string, number>()

  const ask = async (call: Call, model: string): Promise<Pick<Reply, 'events' | 'usage'>> => {
    // Clients choose the name, and every object has a `constructor`.
    const script = Object.hasOwn(SCRIPTS, model) ? SCRIPTS[model] : undefined
    if (!script) {
      const known = Object.keys(SCRIPTS).filter(name => name !== 'mock')
      throw new GatewayError('NOT_FOUND', `The mock provider plays only: ${known.join(', ')}.`)
    }
    const nthCall = (calls.get(model) ?? 0) + 1
    calls.set(model, nthCall)
    const slowness = script.slowness ?? 1
    await sleep(clock, latencyMs * slowness, call.signal)
    const failure = failureOf(script, nthCall)
    if (failure) throw failure
    if (script.after?.pieces === 0) return never(call.signal)

    const usage = Promise.withResolvers<Usage>()
    let inputTokens = 0
    await mapInTurns(call.messages, ({ content }) => {
      inputTokens += piecesOf(textOf(content)).length
    })
    const show: Show = { call, script, ...performance(script, call), chunkMs: chunkMs * slowness, clock }
    const events = stream(show, sent => usage.resolve({ inputTokens, outputTokens: sent }))
    return { usage: usage.promise, events: await prefetched(events) }
  }

  return {
    id: 'mock',
    async ask(call, target) {
      const omitted = call.raw ? leftOut(call) : []
      const head = { id: newId(), target, cache: 'miss', ...(omitted.length > 0 && { omitted }) } as const
      return { head, ...(await ask(call, target.model)) }
    },
  }
}

/** How one mock model behaves. Absent fields are as for `mock` itself. */
export type Script = Readonly<{
  about: string
  /** Its answer; the sample answer when absent. */
  text?: (prompt: string) => string
  /** Multiplies the time to the first piece and between pieces. */
  slowness?: number
  /** How many pieces come at once; 1 when absent. */
  burst?: number
  /** Fails instead of answering: always, or on every other call. */
  failure?: Readonly<{ code: ErrorCode; retryAfterSeconds?: number; every?: number }>
  /** After that many pieces the connection breaks, or nothing more is sent. */
  after?: Readonly<{ pieces: number; fault: 'cut' | 'stall' }>
}>

const sample = (prompt: string): string =>
  `You asked: “${prompt.length > 80 ? `${prompt.slice(0, 80)}…` : prompt}”

This is the **mock provider**: it costs nothing, needs no key, and gives the same answer to the same question.
Set \`OPENAI_API_KEY\` to talk to a real model. Until then, here is what an answer can hold:

1. a list with *emphasis* and \`code\`,
2. a table,
3. a code block.

| model | behaviour |
|---|---|
| \`mock/slow\` | takes its time |
| \`mock/cut\` | is cut in the middle |

\`\`\`ts
const reply = await fetch('/api/chat', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ prompt: 'Hello' }),
})
\`\`\`

That is all.`

const LONG_ANSWER_LINES = 500

/** The models of the mock provider: `mock` itself, and the misbehaving ones as `mock/<name>`. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  mock: { about: 'answers at once' },
  echo: { about: 'repeats the last message and nothing else', text: prompt => prompt, burst: 10 },
  long: {
    about: 'answers with about 20 kB, ten words at a time',
    slowness: 5,
    burst: 10,
    text: () =>
      Array.from({ length: LONG_ANSWER_LINES }, (_, line) => `Line ${line + 1} of a long answer.`).join('\n'),
  },
  slow: { about: 'is slow, and sends several pieces at once', slowness: 10, burst: 8 },
  flaky: { about: 'fails on every other call', failure: { code: 'PROVIDER_ERROR', every: 2 } },
  '429': { about: 'is always busy', failure: { code: 'PROVIDER_RATE_LIMIT', retryAfterSeconds: 2 } },
  '500': { about: 'always fails', failure: { code: 'PROVIDER_ERROR' } },
  cut: { about: 'disconnects after five pieces', after: { pieces: 5, fault: 'cut' } },
  stall: { about: 'sends nothing more after five pieces', after: { pieces: 5, fault: 'stall' } },
  hang: { about: 'never responds', after: { pieces: 0, fault: 'stall' } },
}

/** Longer texts are answered with in larger pieces: millions of words would take seconds. */
const LONGEST_IN_WORDS = 100_000
const LONG_PIECE = 10_000

const slicesOf = (text: string): string[] =>
  Array.from({ length: Math.ceil(text.length / LONG_PIECE) }, (_, index) =>
    text.slice(index * LONG_PIECE, (index + 1) * LONG_PIECE),
  )

/** Words with the white space around them: the mock's tokens. Joined, they are the text again. */
export const piecesOf = (text: string): string[] =>
  text.length > LONGEST_IN_WORDS ? slicesOf(text) : (text.match(/\s*\S+(?:\s+$)?/g) ?? [])

/** In characters; what is longer is cut, as a model's limit of output would. */
const LONGEST_ANSWER = 1_000_000

/** The script's reply to this call: the pieces to send, and the finish reason. */
export const performance = (script: Script, call: Call): { pieces: string[]; reason: FinishReason } => {
  const prompt = textOf(call.messages.at(-1)?.content ?? '')
  const text = (script.text ?? sample)(prompt)
  const pieces = piecesOf(text.slice(0, LONGEST_ANSWER))
  const { maxOutputTokens = Number.POSITIVE_INFINITY } = call
  const isCut = pieces.length > maxOutputTokens || text.length > LONGEST_ANSWER
  return { pieces: pieces.slice(0, maxOutputTokens), reason: isCut ? 'length' : 'stop' }
}

/** The failure that the script holds for its nth call (from 1), if any. */
export const failureOf = ({ failure }: Script, nthCall: number): GatewayError | undefined => {
  if (!failure || nthCall % (failure.every ?? 1) !== 0) return undefined
  return new GatewayError(failure.code, undefined, {
    ...(failure.retryAfterSeconds !== undefined && { retryAfterSeconds: failure.retryAfterSeconds }),
  })
}

/** Rejects with the signal's reason, and does nothing before. */
export const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
