import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FaultScene, JSON_AND_STREAM } from '../support/fault-scene.ts'
import {
  type Behaviour,
  chunk,
  completion,
  hangs,
  headersOnly,
  says,
  sends,
  sse,
  stallsAfter,
  streamEnd,
} from '../support/upstream-behaviour.ts'

const half = sse(chunk({ content: 'Half' }))
const cutJson = (ending: 'end' | 'reset' | 'stall'): Behaviour =>
  sends([JSON.stringify(completion('any', 'Half an answer')).slice(0, 80)], {
    type: 'application/json',
    ending,
  })

describe('an upstream that stalls or ends early', () => {
  let scene: FaultScene

  beforeAll(async () => {
    scene = await FaultScene.start({ deadlineMs: 2_000, env: () => ({ MAX_RETRIES: '0' }) })
  })
  afterAll(() => scene?.stop())

  describe.each(JSON_AND_STREAM)('%s', (_, stream) => {
    it.each<[string, Behaviour]>([
      ['nothing follows its headers', headersOnly],
      ['nothing comes at all', hangs],
    ])('F6: is left when %s, while there is time for another model to answer', async (_name, behaviour) => {
      scene.upstream.forModel('gpt-4.1', behaviour).forModel('gpt-4.1-mini', says(['Mini']))
      const told = await scene.endures('gpt-4.1', stream)
      expect(told).toMatchObject({ status: 200, content: 'Mini' })
      expect(told.headers.get('x-gateway-model')).toBe('gpt-4.1-mini')
      expect(scene.upstream.callsFor('gpt-4.1').every(({ abandonedAt }) => abandonedAt)).toBe(true)
    })

    it('F6: is a timeout where no other model can answer, as an ordinary status', async () => {
      const model = scene.upstream.modelThat(headersOnly)
      const told = await scene.endures(`openai/${model}`, stream)
      expect(told).toMatchObject({ status: 504, events: [], error: { code: 'TIMEOUT' } })
      expect(scene.upstream.callsFor(model)).toHaveLength(1)
    })
  })

  it('F7: ends a stream that falls silent with an error, no end mark, and what came is counted', async () => {
    const model = scene.upstream.modelThat(stallsAfter('Half', ' of it'))
    const told = await scene.endures(`openai/${model}`, true)
    expect(told).toMatchObject({ status: 200, content: 'Half of it', error: { code: 'TIMEOUT' } })
    expect(await scene.lineOf(told)).toMatchObject({ outputTokens: 3, estimated: true, outcome: 'error' })
  })

  it('F7: fails JSON whose body falls silent', async () => {
    const model = scene.upstream.modelThat(cutJson('stall'))
    expect(await scene.endures(`openai/${model}`, false)).toMatchObject({ status: 504 })
  })

  it.each<[string, Behaviour, string]>([
    ['a reset', sends([half], { ending: 'reset' }), 'NETWORK'],
    ['a calm end', sends([half]), 'PROVIDER_ERROR'],
    [
      'an event cut off after the finish reason',
      sends([half, sse(chunk({}, 'stop')), 'data: [DO']),
      'PROVIDER_ERROR',
    ],
    [
      'a reset after the finish reason',
      sends([half, sse(chunk({}, 'stop'))], { ending: 'reset' }),
      'NETWORK',
    ],
  ])(
    'F8: ends a stream that ends early with an error, and never repeats it from the cache: %s',
    async (_, behaviour, code) => {
      const model = scene.upstream.modelThat(behaviour)
      for (const calls of [1, 2]) {
        const told = await scene.endures(`openai/${model}`, true, { cache: 'default' })
        expect(told).toMatchObject({ status: 200, content: 'Half', error: { code } })
        expect(scene.upstream.callsFor(model)).toHaveLength(calls)
      }
    },
  )

  it.each<[string, Behaviour, string]>([
    ['[DONE] without a finish reason', sends([half, sse('[DONE]')]), 'other'],
    ['a calm end after a finish reason', sends([half, sse(chunk({}, 'stop'))]), 'stop'],
  ])('F8: takes a stream for complete with %s', async (_, behaviour, reason) => {
    const told = await scene.endures(`openai/${scene.upstream.modelThat(behaviour)}`, true)
    expect(told).toMatchObject({ status: 200, content: 'Half', error: undefined })
    expect(told.events.at(-1)).toMatchObject({ event: 'done', data: { finishReason: reason } })
  })

  it.each<[string, Behaviour, string]>([
    ['a reset', cutJson('reset'), 'NETWORK'],
    ['a calm end', cutJson('end'), 'PROVIDER_ERROR'],
    [
      'missing finish reason',
      sends(['{"choices":[{"message":{"content":"Half"}}]}'], { type: 'application/json' }),
      'PROVIDER_ERROR',
    ],
    ['a stream in place of JSON that breaks off', sends([half]), 'PROVIDER_ERROR'],
  ])(
    'F8: fails JSON that ends early, and never repeats it from the cache: %s',
    async (_, behaviour, code) => {
      const model = scene.upstream.modelThat(behaviour)
      for (const calls of [1, 2]) {
        const told = await scene.endures(`openai/${model}`, false, { cache: 'default' })
        expect(told).toMatchObject({ status: 502, error: { code } })
        expect(scene.upstream.callsFor(model)).toHaveLength(calls)
      }
    },
  )

  describe.each(JSON_AND_STREAM)('%s', (_, stream) => {
    const withoutUsage = (): Behaviour => (response, asked, signal) => {
      const { usage: _usage, ...body } = completion(asked.model, 'Hello there')
      if (!asked.stream)
        return sends([JSON.stringify(body)], { type: 'application/json' })(response, asked, signal)
      const end = sse(chunk({}, 'stop')) + sse('[DONE]')
      return sends([sse(chunk({ content: 'Hello there' })), end])(response, asked, signal)
    }

    it('F57: counts what the upstream does not, says that it is an estimate, and never calls it free', async () => {
      scene.upstream.forModel('gpt-4o-mini', withoutUsage())
      const told = await scene.endures('gpt-4o-mini', stream)
      const line = await scene.lineOf(told)
      expect(line).toMatchObject({ estimated: true, outputTokens: 3, inputTokens: 6 })
      expect(line.costUsd).toBeGreaterThan(0)
    })

    it('F57: gives no cost where the price is not known', async () => {
      const model = scene.upstream.modelThat(says(['Hello']))
      const told = await scene.endures(`openai/${model}`, stream)
      expect(stream ? told.events.at(-1)?.data.costUsd : JSON.parse(told.text).costUsd).toBeNull()
      expect(await scene.lineOf(told)).not.toHaveProperty('costUsd')
    })
  })

  it('F9: a stream that was not asked for is read as a whole answer', async () => {
    const model = scene.upstream.modelThat(sends([half, streamEnd()]))
    expect(await scene.endures(`openai/${model}`, false)).toMatchObject({ status: 200, content: 'Half' })
  })
})
