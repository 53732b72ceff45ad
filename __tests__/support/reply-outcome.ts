import { systemClock } from '#lib/clock.ts'
import { GatewayError } from '#lib/errors.ts'
import { costPicoUsd } from '#lib/ledger/meter.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import type { Reply, ReplyEvent, Usage } from '#lib/llm/types.ts'
import { usdOf } from '#lib/money.ts'
import { collect, newCall } from './calls.ts'
import { answering } from './wire-fixtures.ts'

/** All that a provider makes of a response. */
export type ReplyOutcome = Readonly<{
  text: string
  /** The events after the text: one end, or one failure. */
  ending: readonly ReplyEvent[]
  usage: Usage
  costUsd: number
}>

const PRICE = { input: 3, cachedInput: 0.3, cacheWrite: 3.75, output: 15 }

const outcomeOf = async (reply: Reply): Promise<ReplyOutcome> => {
  const events = await collect(reply)
  const texts = events.flatMap(event => (event.type === 'text-delta' ? event.text : []))
  const usage = await reply.usage
  return {
    text: texts.join(''),
    ending: events.filter(({ type }) => type !== 'text-delta'),
    usage,
    costUsd: usdOf(costPicoUsd(usage, PRICE)),
  }
}

/** What a provider makes of a response of status 200: a reply, or the error that it throws in place of one. */
export const outcomeOfBody = async (
  definition: ProviderDefinition,
  body: Buffer,
  { stream, type = stream ? 'text/event-stream' : 'application/json' }: { stream: boolean; type?: string },
): Promise<ReplyOutcome | GatewayError> => {
  const provider = definition.create({
    apiKey: 'sk-test',
    baseUrl: 'http://upstream',
    post: answering(200, type, [body]),
    clock: systemClock,
    newId: () => 'chat_1',
    onRateHeadroom: () => {},
  })
  const { id } = definition
  try {
    const target = { provider: id, model: 'model', name: `${id}/model` }
    return await outcomeOf(await provider.ask(newCall({ stream }), target))
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown
    throw thrown
  }
}
