import { describe, expect, it } from 'vitest'
import { chatCompletionResponse } from '#lib/http/dialects/openai-chat/reply.ts'
import { batches, newCall, replyOf, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const OPTIONS = { clock: new FakeClock(), abort: () => {}, wantsUsage: true }
const TIERS = [
  ['flex', 'flex'],
  ['standard', undefined],
  [undefined, undefined],
] as const

const responseOf = async (serviceTier: string | undefined, stream: boolean) => {
  const usage = { inputTokens: 1, outputTokens: 1, ...(serviceTier && { serviceTier }) }
  const reply = replyOf(batches([...text('Hi'), { type: 'finish', reason: 'stop' }]))
  return chatCompletionResponse(newCall({ stream }), { ...reply, usage: Promise.resolve(usage) }, OPTIONS)
}

describe('a chat completion that is translated names the service tier that answered', () => {
  it.each(TIERS)('where the format has a name for it: %s', async (tier, named) => {
    const { json } = await responseOf(tier, false)
    expect(new Map(Object.entries(json ?? {})).get('service_tier')).toBe(named)
  })

  it.each(TIERS)('in the chunks that are written once it is known: %s', async (tier, named) => {
    const { stream } = await responseOf(tier, true)
    const chunks = (await new Response(stream ?? null).text())
      .split('\n\n')
      .filter(frame => frame.startsWith('data: {'))
      .map(frame => JSON.parse(frame.slice('data: '.length)).service_tier)
    expect(chunks).toEqual([undefined, undefined, named, named])
  })
})

it('a chat completion that is translated names the tokens that were written to a prompt cache', async () => {
  const usage = { inputTokens: 9, outputTokens: 1, cachedInputTokens: 2, cacheWriteInputTokens: 3 }
  const reply = replyOf(batches([...text('Hi'), { type: 'finish', reason: 'stop' }]))
  const whole = await chatCompletionResponse(newCall(), { ...reply, usage: Promise.resolve(usage) }, OPTIONS)
  expect(whole.json).toMatchObject({
    usage: { prompt_tokens: 9, prompt_tokens_details: { cached_tokens: 2, cache_write_tokens: 3 } },
  })
})
