import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readVerdict } from '#lib/evaluation/graders/judge-answer.ts'

describe('the answer of a model that grades one answer', () => {
  it.each<[string, number]>([
    ['{"score": 0.8}', 0.8],
    ['{"reason": "Good {really}", "score": 1}', 1],
    ['```json\n{"Score": "0.25"}\n```', 0.25],
    ['I compared {a} and {b}. So:\n{"score": 0}', 0],
    ['{"grade": "8/10"}', 0.8],
    ['{"rating": "90 %"}', 0.9],
    ['{"rating": "40/100", "explanation": "So so"}', 0.4],
  ])('is read leniently: %s', (text, score) => {
    expect(readVerdict(text, 1)?.scores).toEqual([score])
  })

  it.each([
    '',
    'Very good.',
    '{"score": 7}',
    '{"score": -1}',
    '{"score": true}',
    '{"score": null}',
    '{"score": {"value": 1}}',
    '{"score": "1 or 2"}',
    '{"scores": [1]}',
    '{"score": 0.5',
  ])('holds no score where it is none from 0 to 1: %s', text => {
    expect(readVerdict(text, 1)).toBeUndefined()
  })

  it('is read without an exception, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        for (const answers of [1, 2] as const)
          for (const score of readVerdict(text, answers)?.scores ?? []) {
            expect(score).toBeGreaterThanOrEqual(0)
            expect(score).toBeLessThanOrEqual(1)
          }
      }),
    )
  })

  it('has its reason, and no more than 1,000 characters of it', () => {
    expect(readVerdict('{"score": 1, "reason": "Short."}', 1)?.reason).toBe('Short.')
    expect(readVerdict(JSON.stringify({ score: 1, reason: 'x'.repeat(5_000) }), 1)?.reason).toHaveLength(
      1_000,
    )
  })
})

describe('the answer of a model that compares two answers', () => {
  it.each<[string, readonly number[]]>([
    ['{"scoreA": 0.9, "scoreB": 0.2}', [0.9, 0.2]],
    ['{"score_a": "50%", "score_b": 1}', [0.5, 1]],
    ['{"scores": {"A": 0.1, "B": 0.3}}', [0.1, 0.3]],
    ['{"winner": "A"}', [1, 0]],
    ['{"winner": "answer B", "reason": "It is right"}', [0, 1]],
    ['{"preferred": "tie"}', [0.5, 0.5]],
  ])('is read in the order in which they were shown: %s', (text, scores) => {
    expect(readVerdict(text, 2)?.scores).toEqual(scores)
  })

  it.each(['{"scoreA": 1}', '{"winner": "C"}', '{"winner": "constructor"}', '{"score": 1}'])(
    'holds no scores: %s',
    text => expect(readVerdict(text, 2)).toBeUndefined(),
  )
})
