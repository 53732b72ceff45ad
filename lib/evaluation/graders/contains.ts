import type { Grader } from '../grader.ts'
import type { ContainsSpec } from '../types.ts'

const LONGEST_QUOTE = 80

const folded = (text: string, ignoreCase: boolean): string =>
  ignoreCase ? text.normalize('NFC').toLowerCase() : text.normalize('NFC')

const quoted = (text: string): string =>
  `“${text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text}”`

/** Whether the answer contains the reference, or given texts: all of them, or any. Of several, the score is the share. */
export const contains: Grader<ContainsSpec> = {
  type: 'contains',
  needs: ({ values }) => (values === undefined ? ['reference'] : []),
  async grade({ values, match, ignoreCase }, { answer, reference = '' }) {
    const text = folded(answer, ignoreCase)
    const wanted = values ?? [reference]
    const missing = wanted.filter(value => !text.includes(folded(value, ignoreCase)))
    const found = wanted.length - missing.length
    const passed = match === 'all' ? missing.length === 0 : found > 0
    const share = found / wanted.length
    const [first = ''] = missing
    return {
      score: match === 'all' ? share : Number(passed),
      passed,
      reason: passed
        ? `The answer contains ${found} of ${wanted.length} texts.`
        : `The answer does not contain ${quoted(first)}.`,
    }
  },
}
