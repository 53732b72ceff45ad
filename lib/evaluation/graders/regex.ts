import type { Grader } from '../grader.ts'
import type { RegexSpec } from '../types.ts'

/** Whether a regular expression matches anywhere in the answer. In RE2's syntax, which is matched in linear time. */
export const regex: Grader<RegexSpec> = {
  type: 'regex',
  needs: () => [],
  async fault({ pattern, flags }, checks) {
    const message = await checks.patternFault(pattern, flags)
    return message === undefined ? undefined : { path: 'pattern', message }
  },
  async grade({ pattern, flags }, { answer }, { checks }) {
    const result = await checks.matches(pattern, flags, answer)
    if (result.state === 'unknown') return { passed: false, reason: result.reason }
    const passed = result.value
    return {
      score: passed ? 1 : 0,
      passed,
      reason: passed ? 'The expression matches the answer.' : 'The expression matches nothing in the answer.',
    }
  },
}
