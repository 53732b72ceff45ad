import type { Call, Reply, ReplyEvent, Target } from '#lib/llm/types.ts'
import { type Attempt, AttemptBudget, newJournal } from '#lib/request-context.ts'

export const TARGET: Target = { provider: 'fake', model: 'model', name: 'fake/model' }

/** A call with everything in it, and what the test wants otherwise. */
export const newCall = (changes: Partial<Call> = {}): Call => ({
  requestId: 'request-1',
  route: '/api/chat',
  surface: 'chat',
  client: { address: '192.0.2.1' },
  caller: { kind: 'anonymous', address: '192.0.2.1' },
  signal: new AbortController().signal,
  startedAt: 0,
  journal: newJournal(),
  messages: [{ role: 'user', content: 'Hello' }],
  model: 'fake/model',
  stream: false,
  maxOutputTokens: 1_000,
  deadlineAt: Number.POSITIVE_INFINITY,
  cache: 'default',
  fallback: true,
  plan: [TARGET],
  attempts: new AttemptBudget(),
  ...changes,
})

/** The first attempt at a call. */
export const newAttempt = (target = TARGET): Attempt => ({ number: 0, target, startedAt: 0 })

/** A reply of these events. */
export const replyOf = (events: AsyncIterable<readonly ReplyEvent[]>): Reply => ({
  head: { id: 'chat_1', target: TARGET, cache: 'miss' },
  usage: Promise.resolve({ inputTokens: 1, outputTokens: 2 }),
  events,
})

export const text = (...pieces: string[]): ReplyEvent[] =>
  pieces.map(piece => ({ type: 'text-delta', text: piece }))

/** A whole answer in the given batches. */
export async function* batches(
  ...parts: readonly (readonly ReplyEvent[])[]
): AsyncGenerator<readonly ReplyEvent[]> {
  yield* parts
}

export const collect = async (reply: Reply): Promise<ReplyEvent[]> => {
  const found: ReplyEvent[] = []
  for await (const batch of reply.events) found.push(...batch)
  return found
}
