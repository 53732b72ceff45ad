import type { Message } from '../../llm/types.ts'
import type { Grader } from '../grader.ts'
import type { ModelCaller } from '../model-caller.ts'
import type { JudgeSpec, Outcome, Subject } from '../types.ts'
import { readVerdict, type Verdict } from './judge-answer.ts'
import { pairQuestion, scoreQuestion } from './judge-prompt.ts'

const MOST_TOKENS = 1_000
const UNREADABLE = 'The model that grades returned no scores.'
/** A comparison ends in favour of one of two, or in a tie. */
const WON = 1
const TIED = 0.5

type Question = Readonly<{ model: string | undefined; messages: readonly Message[]; answers: 1 | 2 }>

/** Asks, and once more where the answer holds no scores: past the cache, which has that answer. */
const verdictOf = async (
  models: ModelCaller,
  { model, messages, answers }: Question,
): Promise<Verdict | undefined> => {
  for (const cache of ['default', 'refresh'] as const) {
    const { text } = await models.chat({
      label: 'judge',
      model,
      messages,
      temperature: 0,
      maxOutputTokens: MOST_TOKENS,
      parameters: { responseFormat: { type: 'json-object' } },
      cache,
      cacheKind: 'evaluation',
    })
    const verdict = readVerdict(text, answers)
    if (verdict) return verdict
  }
  return undefined
}

const graded = (score: number, threshold: number, reasons: readonly string[]): Outcome => ({
  score,
  passed: score >= threshold,
  reason: [...new Set(reasons.filter(reason => reason !== ''))].join(' · ') || 'The model gave no reason.',
})

const mean = (a: number, b: number): number => (a + b) / 2

/** How the graded answer compares to the other one by their scores. */
const compared = (own: number, other: number): number => {
  if (own === other) return TIED
  return own > other ? WON : 0
}

/** Shows both answers in both orders, so that a preference for one position cancels out. */
const pairwise = async (
  { model, rubric, baseline, threshold }: JudgeSpec,
  subject: Subject,
  models: ModelCaller,
): Promise<Outcome> => {
  const other = baseline ?? subject.reference ?? ''
  const task = { input: subject.input, rubric: rubric ?? subject.rubric }
  const first = await verdictOf(models, {
    model,
    messages: pairQuestion(task, subject.answer, other),
    answers: 2,
  })
  const second =
    first &&
    (await verdictOf(models, { model, messages: pairQuestion(task, other, subject.answer), answers: 2 }))
  if (!first || !second) return { passed: false, reason: UNREADABLE }
  const [ownFirst = 0, otherSecond = 0] = first.scores
  const [otherFirst = 0, ownSecond = 0] = second.scores
  const score =
    baseline === undefined
      ? mean(ownFirst, ownSecond)
      : mean(compared(ownFirst, otherSecond), compared(ownSecond, otherFirst))
  return graded(score, threshold, [first.reason, second.reason])
}

/**
 * A model grades the answer by a rubric. Beside a reference the score is the answer's own, in the mean of both orders;
 * compared to a baseline it is 1 for the better answer, 0.5 for a tie or where the orders disagree, 0 for the worse one.
 * Its answers are cached for an hour.
 */
export const judge: Grader<JudgeSpec> = {
  type: 'judge',
  needs: () => [],
  async grade(spec, subject, { models }) {
    const { model, rubric = subject.rubric, baseline, threshold } = spec
    if (baseline !== undefined || subject.reference !== undefined) return pairwise(spec, subject, models)
    const messages = scoreQuestion({ input: subject.input, rubric }, subject.answer)
    const verdict = await verdictOf(models, { model, messages, answers: 1 })
    const [score] = verdict?.scores ?? []
    if (!verdict || score === undefined) return { passed: false, reason: UNREADABLE }
    return graded(score, threshold, [verdict.reason])
  },
}
