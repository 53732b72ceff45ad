import type { Grader } from '../grader.ts'
import type { SimilaritySpec } from '../types.ts'

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)

/** The cosine of the angle between two vectors; 0 where one of them has no length. */
export const cosine = (a: readonly number[], b: readonly number[]): number => {
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b))
  return lengths === 0 ? 0 : dot(a, b) / lengths
}

const DIGITS = 3

/** How similar the answer and the reference are: the cosine of their embeddings, negative ones as 0. */
export const similarity: Grader<SimilaritySpec> = {
  type: 'similarity',
  needs: () => ['reference'],
  async grade({ model, threshold }, { answer, reference = '' }, { models }) {
    if (answer.trim() === '') return { score: 0, passed: false, reason: 'The answer is empty.' }
    if (answer === reference) return { score: 1, passed: true, reason: 'The answer is the reference.' }
    const [a = [], b = []] = await models.embed({ label: 'similarity', model, texts: [answer, reference] })
    if (a.length === 0 || a.length !== b.length)
      return { passed: false, reason: 'The model returned no comparable embeddings.' }
    const score = Math.min(1, Math.max(0, cosine(a, b)))
    const passed = score >= threshold
    return { score, passed, reason: `The similarity is ${score.toFixed(DIGITS)}; ${threshold} is required.` }
  },
}
