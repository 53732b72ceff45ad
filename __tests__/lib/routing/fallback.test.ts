import { describe, expect, it } from 'vitest'
import { type ErrorCode, GatewayError } from '#lib/errors.ts'
import type { Call, Target } from '#lib/llm/types.ts'
import { beginAttempt } from '#lib/request-context.ts'
import { type Fallbacks, fallback } from '#lib/routing/route.ts'
import { batches, newCall, replyOf, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const target = (model: string): Target => ({ provider: 'fake', model, name: model })
const PLAN = [target('best'), target('short'), target('long')]
const CONTEXT: Record<string, number> = { best: 8_000, short: 4_000, long: 128_000 }

const ALL = {
  error: true,
  open: true,
  timeout: true,
  contextLength: true,
  contentPolicy: true,
  rateLimit: true,
}

const setting = (failures: Record<string, ErrorCode>, on?: Fallbacks['on']) => {
  const clock = new FakeClock()
  const asked: string[] = []
  const deadlines: number[] = []
  const standIns: (true | undefined)[] = []
  const policy = fallback({
    contextTokensOf: ({ model }) => CONTEXT[model],
    clock,
    on,
  })
  const answer = (changes: Partial<Call> = {}) =>
    policy(newCall({ plan: PLAN, deadlineAt: clock.now() + 8_000, ...changes }), async call => {
      const [first] = call.plan
      const model = first?.model ?? ''
      asked.push(model)
      deadlines.push(call.deadlineAt - clock.now())
      standIns.push(call.isFallback)
      const failure = failures[model]
      if (failure !== 'MODEL_UNAVAILABLE') beginAttempt(call, first as Target, clock.now())
      if (failure) throw new GatewayError(failure)
      return replyOf(batches(text('ok'), [{ type: 'finish', reason: 'stop' }]))
    })
  return { answer, asked, deadlines, standIns }
}

describe('fallback', () => {
  it('does not ask a second one while the first answers', async () => {
    const { answer, asked } = setting({})
    await answer()
    expect(asked).toEqual(['best'])
  })

  it.each<ErrorCode>(['NETWORK', 'PROVIDER_ERROR', 'PROVIDER_RATE_LIMIT', 'MODEL_UNAVAILABLE', 'TIMEOUT'])(
    'asks the next one after %s',
    async code => {
      const { answer, asked } = setting({ best: code })
      await answer()
      expect(asked).toEqual(['best', 'short'])
    },
  )

  it.each<ErrorCode>(['INVALID_INPUT', 'CONTENT_BLOCKED', 'NOT_FOUND', 'CLIENT_GONE'])(
    'does not after %s, which would be no better there',
    async code => {
      const { answer, asked } = setting({ best: code })
      await expect(answer()).rejects.toMatchObject({ code })
      expect(asked).toEqual(['best'])
    },
  )

  it.each<[keyof typeof ALL, ErrorCode]>([
    ['error', 'PROVIDER_ERROR'],
    ['error', 'NETWORK'],
    ['open', 'MODEL_UNAVAILABLE'],
    ['timeout', 'TIMEOUT'],
    ['contextLength', 'CONTEXT_LENGTH'],
    ['contentPolicy', 'CONTENT_BLOCKED'],
    ['rateLimit', 'PROVIDER_RATE_LIMIT'],
  ])(
    'lets no other model answer after %s when that is switched off (%s), and one when on',
    async (name, code) => {
      const off = setting({ best: code }, { ...ALL, [name]: false })
      await expect(off.answer()).rejects.toMatchObject({ code })
      expect(off.asked).toEqual(['best'])
      const on = setting({ best: code }, ALL)
      await on.answer()
      expect(on.asked).toHaveLength(2)
    },
  )

  it('takes what is too long to one that takes more, past one that takes less', async () => {
    const { answer, asked } = setting({ best: 'CONTEXT_LENGTH' })
    await answer()
    expect(asked).toEqual(['best', 'long'])
  })

  it('stays with the model asked for where the caller forbids another', async () => {
    const { answer, asked } = setting({ best: 'NETWORK' })
    await expect(answer({ fallback: false })).rejects.toMatchObject({ code: 'NETWORK' })
    expect(asked).toEqual(['best'])
  })

  it('tells of the failure of the model asked for when all fail', async () => {
    const { answer, asked } = setting({ best: 'TIMEOUT', short: 'NETWORK', long: 'MODEL_UNAVAILABLE' })
    await expect(answer()).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(asked).toEqual(['best', 'short', 'long'])
  })

  it('tells of a real failure rather than of a rest', async () => {
    const { answer } = setting({ best: 'MODEL_UNAVAILABLE', short: 'NETWORK', long: 'MODEL_UNAVAILABLE' })
    await expect(answer()).rejects.toMatchObject({ code: 'NETWORK' })
  })

  it('asks four targets at most, and each after the first as a stand-in', async () => {
    const plan = ['a', 'b', 'c', 'd', 'e'].map(target)
    const { answer, asked, standIns } = setting(Object.fromEntries(plan.map(({ name }) => [name, 'NETWORK'])))
    await expect(answer({ plan })).rejects.toMatchObject({ code: 'NETWORK' })
    expect(asked).toEqual(['a', 'b', 'c', 'd'])
    expect(standIns).toEqual([undefined, true, true, true])
  })

  it('goes past any number of targets that refuse before they are asked', async () => {
    const plan = ['a', 'b', 'c', 'd', 'e', 'f'].map(target)
    const refusing = plan.slice(0, 5).map(({ name }) => [name, 'MODEL_UNAVAILABLE'] as const)
    const { answer, asked } = setting(Object.fromEntries(refusing))
    expect((await answer({ plan })).head.fallback).toBe(true)
    expect(asked).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('keeps half of the remaining time for the next targets, and gives the last one all of it', async () => {
    const { answer, deadlines } = setting({ best: 'NETWORK', short: 'NETWORK' })
    await answer()
    expect(deadlines).toEqual([4_000, 4_000, 8_000])
  })
})
