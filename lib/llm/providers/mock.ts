import { type Clock, sleep } from '../../clock.ts'
import { GatewayError, toGatewayError } from '../../errors.ts'
import { mapInTurns } from '../../loop-turns.ts'
import { textOf } from '../message.ts'
import type { Call, FinishReason, Provider, Reply, ReplyEvent, Usage } from '../types.ts'
import type { ModelFacts } from './definition.ts'
import { mockEndpoints } from './mock-endpoints.ts'
import { failureOf, never, performance, piecesOf, SCRIPTS, type Script } from './mock-script.ts'
import { untranslatedIn } from './shared/foreign-members.ts'
import { prefetched } from './shared/prefetched.ts'
import { assertAllTaken, assertTranslatable } from './shared/raw-request.ts'

export type MockOptions = Readonly<{
  /** Time to the first piece. */
  latencyMs: number
  /** Time between two pieces of a stream. */
  chunkMs: number
  clock: Clock
  newId: () => string
}>

export const MOCK_MODELS: readonly ModelFacts[] = [
  { id: 'mock', contextTokens: 128_000, usdPerMillion: { input: 0, output: 0 } },
]

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

/**
 * A simulated provider: deterministic answers at a chosen pace, and failures by model name (`mock/429`, `mock/cut`, …).
 * For use without a key, and for tests of failures. One piece is one token, so its usage adds up with what was sent.
 */
export const mock = (options: MockOptions): Provider => {
  const { latencyMs, chunkMs, clock, newId } = options
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
      assertTranslatable(call)
      const omitted = untranslatedIn(call)
      assertAllTaken(call, omitted)
      const head = { id: newId(), target, cache: 'miss', ...(omitted.length > 0 && { omitted }) } as const
      return { head, ...(await ask(call, target.model)) }
    },
    pass: mockEndpoints(options),
  }
}
