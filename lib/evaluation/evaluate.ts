import { invalidInput } from '../validation/zod.ts'
import type { AnswerChecks } from './checks/checks.ts'
import { assertGraders, gradeAnswer, lacking } from './grade.ts'
import type { ModelCaller } from './model-caller.ts'
import type { GraderSpec, Grading, Subject } from './types.ts'

export type EvaluateDeps = Readonly<{
  models: ModelCaller
  checks: AnswerChecks
  /** Called when nothing is wrong with the request, before anything is graded. */
  begun: () => void
}>

/** Grades one answer. @throws GatewayError INVALID_INPUT where a grader lacks something of it */
export const evaluate = async (
  specs: readonly GraderSpec[],
  subject: Subject,
  { models, checks, begun }: EvaluateDeps,
): Promise<Grading> => {
  const faults = lacking(specs, what => subject[what] !== undefined)
  if (faults.length > 0) throw invalidInput(faults)
  await assertGraders(specs, checks)
  begun()
  return gradeAnswer(specs, subject, { models, checks })
}
