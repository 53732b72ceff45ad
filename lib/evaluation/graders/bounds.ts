import type { Outcome } from '../types.ts'

/** The grade of a measure with an upper bound. */
export const bounded = (
  measure: number | undefined,
  most: number,
  { name, unit }: Readonly<{ name: string; unit: string }>,
): Outcome => {
  if (measure === undefined) return { passed: false, reason: `The ${name} of the answer is unknown.` }
  const passed = measure <= most
  return {
    score: passed ? 1 : 0,
    passed,
    reason: `The ${name} is ${measure} ${unit}; at most ${most} ${unit} are allowed.`,
  }
}
