import { GatewayError } from '#lib/errors.ts'
import { costOfTokens } from '#lib/ledger/pricing.ts'
import { answerOf, append } from '#lib/llm/events.ts'
import type { Reasoning, ToolCall } from '#lib/llm/message.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import type { Post } from '#lib/llm/providers/shared/upstream.ts'
import type { Reply, ReplyEvent, Usage } from '#lib/llm/types.ts'
import { usdOf } from '#lib/money.ts'
import { collect, newAttempt, newCall } from './calls.ts'
import { providerDeps } from './provider-deps.ts'
import { answering } from './wire-fixtures.ts'

/** All that a provider makes of a response. */
export type ReplyOutcome = Readonly<{
  /** Its text, and that of a refusal. */
  text: string
  reasoning: readonly Reasoning[]
  toolCalls: readonly ToolCall[]
  /** The events after the text: one end, or one failure. */
  ending: readonly ReplyEvent[]
  usage: Usage
  costUsd: number
}>

const PRICE = { input: 3, cachedInput: 0.3, cacheWrite: 3.75, output: 15 }

const outcomeOf = async (reply: Reply): Promise<ReplyOutcome> => {
  const arrived = await collect(reply)
  const events: ReplyEvent[] = []
  for (const event of arrived) append(events, event)
  const answer = answerOf(events)
  const usage = await reply.usage
  return {
    text: events
      .map(event => (event.type === 'text-delta' || event.type === 'refusal-delta' ? event.text : ''))
      .join(''),
    reasoning: answer?.reasoning ?? [],
    toolCalls: answer?.toolCalls ?? [],
    ending: events.filter(({ type }) => type === 'finish' || type === 'error'),
    usage,
    costUsd: usdOf(costOfTokens(usage, PRICE, 0).picoUsd),
  }
}

/** What a provider makes of a response of status 200: a reply, or the error that it throws in place of one. */
export type OutcomeOfBody = (
  body: Buffer,
  how: Readonly<{ stream: boolean; type?: string }>,
) => Promise<ReplyOutcome | GatewayError>

/** One provider for many bodies, each the only one under way. */
export const outcomesBy = (definition: ProviderDefinition): OutcomeOfBody => {
  const { id } = definition
  let post: Post = () => Promise.reject(new Error('No body to answer with'))
  const provider = definition.create(providerDeps({ post: (...args) => post(...args) }))
  return async (body, { stream, type = stream ? 'text/event-stream' : 'application/json' }) => {
    post = answering(200, type, [body])
    try {
      const target = { provider: id, model: 'model', name: `${id}/model` }
      return await outcomeOf(await provider.ask(newCall({ stream }), target, newAttempt()))
    } catch (thrown) {
      if (thrown instanceof GatewayError) return thrown
      throw thrown
    }
  }
}

/** What a provider of its own makes of one body. */
export const outcomeOfBody = (
  definition: ProviderDefinition,
  ...args: Parameters<OutcomeOfBody>
): ReturnType<OutcomeOfBody> => outcomesBy(definition)(...args)
