import type { Grader } from '../grader.ts'
import type { ExactSpec } from '../types.ts'

const normalised = (text: string, { ignoreCase, trim }: ExactSpec): string => {
  const whole = (trim ? text.trim() : text).normalize('NFC')
  return ignoreCase ? whole.toLowerCase() : whole
}

/** Whether the answer is the reference, or a given value, and nothing else. */
export const exact: Grader<ExactSpec> = {
  type: 'exact',
  needs: ({ value }) => (value === undefined ? ['reference'] : []),
  async grade(spec, { answer, reference }) {
    const expected = spec.value ?? reference ?? ''
    const passed = normalised(answer, spec) === normalised(expected, spec)
    return {
      score: passed ? 1 : 0,
      passed,
      reason: passed
        ? 'The answer is the expected text.'
        : 'The answer is another text than the expected one.',
    }
  },
}
