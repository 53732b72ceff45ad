import type { Steps } from '../loop-turns.ts'
import type { PlacedText, TextRail, Verdict } from './types.ts'

/** A text that is longer than allowed. The verdict spans what is too much. @param most code units of one text */
export const longestInput = (most: number): TextRail => ({
  type: 'text',
  name: 'longest-input',
  places: ['system', 'user', 'tool-result', 'document', 'tool-definition'],
  *inspect({ text }: PlacedText): Steps<readonly Verdict[]> {
    yield
    if (text.length <= most) return []
    return [
      {
        rail: 'longest-input',
        kind: 'too-long',
        rule: 'longest-input',
        score: 1,
        start: most,
        end: text.length,
      },
    ]
  },
})
