import { describe, expect, it } from 'vitest'
import {
  estimatedInputTokens,
  mergedUsage,
  reportedUsage,
  tokenCount,
  usageOf,
  withTotal,
} from '#lib/llm/providers/shared/usage.ts'
import type { Call } from '#lib/llm/types.ts'
import { newCall } from '../../support/calls.ts'

const ANSWER = { textBytes: 40, isComplete: true, estimatedInputTokens: () => 7 }
const silent = { ...ANSWER, textBytes: 0 }

describe('the input of an answer whose vendor reports none', () => {
  it('is estimated from everything that the model read: tools, their calls, images and documents', () => {
    const of = (changes: Partial<Call>) => estimatedInputTokens(newCall({ messages: [], ...changes }))
    expect(of({ messages: [{ role: 'user', content: 'x'.repeat(400) }] })).toBe(100)
    const toolCalls = [{ id: 'a', name: 'tool', arguments: 'x'.repeat(395) }]
    expect(of({ messages: [{ role: 'assistant', content: '', toolCalls }] })).toBe(100)
    expect(of({ parameters: { tools: [{ name: 'x'.repeat(389) }] } })).toBe(100)
    const image = { type: 'image', url: `data:image/png;base64,${'A'.repeat(100_000)}` } as const
    expect(of({ messages: [{ role: 'user', content: [image, image] }] })).toBe(2_000)
    const file = { type: 'file', url: `data:application/pdf;base64,${'A'.repeat(100_000)}` } as const
    expect(of({ messages: [{ role: 'user', content: [file, { type: 'file', id: 'a' }] }] })).toBe(7_000)
  })

  it('is estimated with its tools, its media apart', () => {
    const data = 'A'.repeat(100_000)
    const url = `data:image/png;base64,${data}`
    const parameters = { tools: [{ name: 'weather', description: 'x'.repeat(4_000) }] }
    const messages = [{ role: 'user', content: [{ type: 'image', url }] }] as const
    const tokens = estimatedInputTokens(newCall({ messages, parameters }))
    expect(tokens).toBeGreaterThan(2_000)
    expect(tokens).toBeLessThan(2_050)
  })
})

describe('a count of tokens', () => {
  it.each([0, 1, 100_000_000, '12', '0'])('is a whole number up to 100 million: %j', value => {
    expect(tokenCount(value)).toBe(Number(value))
  })

  it.each([
    -1,
    -1_000_000,
    9.5,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    2 ** 64 - 1,
    100_000_001,
    '-1',
    '1e3',
    '9.5',
    ' 1',
    '',
    true,
    null,
    undefined,
    [],
    [5],
    {},
  ])('is unknown where it is anything else: %j', value => {
    expect(tokenCount(value)).toBeUndefined()
  })
})

describe('the usage of an answer', () => {
  it('is what its vendor reported', () => {
    const counts = { inputTokens: 30, outputTokens: 20, cachedInputTokens: 10, reasoningTokens: 5 }
    expect(usageOf(reportedUsage(counts), ANSWER)).toEqual(counts)
  })

  it.each([-5, 9.5, Number.POSITIVE_INFINITY, 2 ** 64 - 1, 'many', {}])(
    'has the class estimated whose count cannot be one, and only that: %j',
    count => {
      expect(usageOf(reportedUsage({ inputTokens: count, outputTokens: 20 }), ANSWER)).toEqual({
        inputTokens: 7,
        outputTokens: 20,
        estimated: true,
      })
      expect(usageOf(reportedUsage({ inputTokens: 30, outputTokens: count }), ANSWER)).toEqual({
        inputTokens: 30,
        outputTokens: 10,
        estimated: true,
      })
      expect(
        usageOf(reportedUsage({ inputTokens: 30, outputTokens: 20, cachedInputTokens: count }), ANSWER),
      ).toEqual({ inputTokens: 30, outputTokens: 20, estimated: true })
    },
  )

  it('is estimated where nothing was reported', () => {
    const estimate = { inputTokens: 7, outputTokens: 10, estimated: true }
    expect(usageOf(undefined, ANSWER)).toEqual(estimate)
    expect(usageOf(reportedUsage({ inputTokens: null, outputTokens: null }), ANSWER)).toEqual(estimate)
  })

  it('is estimated where 0 stands beside text, and is 0 where there is none', () => {
    const zero = reportedUsage({ inputTokens: 0, outputTokens: 0 })
    expect(usageOf(zero, ANSWER)).toEqual({ inputTokens: 7, outputTokens: 10, estimated: true })
    expect(usageOf(zero, silent)).toEqual({ inputTokens: 0, outputTokens: 0 })
    expect(usageOf(zero, { ...silent, isComplete: false })).toEqual({ inputTokens: 0, outputTokens: 0 })
  })

  it('is that of the delivered text where the answer was cut off, and says so', () => {
    const begun = reportedUsage({ inputTokens: 30, outputTokens: 1 })
    expect(usageOf(begun, { ...ANSWER, isComplete: false })).toEqual({
      inputTokens: 30,
      outputTokens: 10,
      estimated: true,
    })
  })

  it('has no part that is larger than its whole', () => {
    expect(
      usageOf({ inputTokens: 10, outputTokens: 5, cachedInputTokens: 8, cacheWriteInputTokens: 9 }, ANSWER),
    ).toEqual({
      inputTokens: 10,
      outputTokens: 5,
      cachedInputTokens: 8,
      cacheWriteInputTokens: 2,
      estimated: true,
    })
  })
})

describe('output that a vendor counts beside the completion', () => {
  it.each([
    ['Gemini’s thoughts, which only the total holds', { inputTokens: 12, outputTokens: 9 }, 64, 52, 43],
    [
      'xAI’s reasoning, named and in the total',
      { inputTokens: 100, outputTokens: 50, reasoningTokens: 20 },
      170,
      70,
      20,
    ],
    [
      'reasoning larger than the output it should be part of',
      { inputTokens: 100, outputTokens: 15, reasoningTokens: 28 },
      undefined,
      43,
      28,
    ],
  ])('is output: %s', (_, usage, total, outputTokens, reasoningTokens) => {
    expect(withTotal(usage, total)).toEqual({ ...usage, outputTokens, reasoningTokens })
  })

  it.each([
    ['the total is the sum', 15],
    ['the total is smaller', 3],
    ['there is no total', undefined],
    ['the total cannot be one', 2 ** 64 - 1],
    ['the total is no number', {}],
  ])('is nothing where %s', (_, total) => {
    const usage = { inputTokens: 10, outputTokens: 5, reasoningTokens: 2 }
    expect(withTotal(usage, total)).toEqual(usage)
  })

  it('is not what a relay has in its total as cached input, counted apart', () => {
    const usage = { inputTokens: 10, outputTokens: 5, cachedInputTokens: 300, cacheWriteInputTokens: 40 }
    expect(withTotal(usage, 355)).toEqual({ ...usage, inputTokens: 350 })
  })
})

describe('the counts of a stream', () => {
  it('replace earlier ones, but never with nothing', () => {
    expect(mergedUsage({ inputTokens: 9, outputTokens: 1 }, { outputTokens: 5 })).toEqual({
      inputTokens: 9,
      outputTokens: 5,
    })
    const counted = { inputTokens: 9, outputTokens: 5 }
    expect(mergedUsage(counted, { inputTokens: 0, outputTokens: 0 })).toEqual(counted)
    expect(mergedUsage(counted, undefined)).toEqual(counted)
    expect(mergedUsage(undefined, counted)).toEqual(counted)
  })
})
