import { invalidInput } from '../validation/zod.ts'
import type { AnswerChecks } from './checks/checks.ts'
import type { GraderDeps, Needed } from './grader.ts'
import { graderOf } from './registry.ts'
import type { Grade, GraderSpec, Grading, Subject } from './types.ts'

/** The weighted mean of the scores that are known; undefined where none is. */
const scoreOf = (specs: readonly GraderSpec[], grades: readonly Grade[]): number | undefined => {
  let sum = 0
  let weights = 0
  for (const [index, { score }] of grades.entries()) {
    if (score === undefined) continue
    const { weight } = specs[index] as GraderSpec
    sum += weight * score
    weights += weight
  }
  return weights === 0 ? undefined : sum / weights
}

/** Grades an answer by all graders, one after the other. An answer passes where it passes all of them. */
export const gradeAnswer = async (
  specs: readonly GraderSpec[],
  subject: Subject,
  deps: GraderDeps,
): Promise<Grading> => {
  const grades: Grade[] = []
  for (const spec of specs) {
    const { type, name } = spec
    grades.push({ name, type, ...(await graderOf(spec).grade(spec, subject, deps)) })
  }
  const score = scoreOf(specs, grades)
  return {
    ...(score !== undefined && { score }),
    passed: grades.every(({ passed }) => passed),
    grades,
  }
}

/** What a grader needs and the subject lacks, by the graders that need it. */
export const lacking = (
  specs: readonly GraderSpec[],
  has: (what: Needed) => boolean,
): readonly Readonly<{ path: Needed; message: string }>[] => {
  const needs = specs.flatMap(spec =>
    graderOf(spec)
      .needs(spec)
      .filter(what => !has(what))
      .map(path => ({ path, type: spec.type })),
  )
  return [...Map.groupBy(needs, ({ path }) => path)].map(([path, of]) => ({
    path,
    message: `is required by the grader ${[...new Set(of.map(({ type }) => type))].join(', ')}`,
  }))
}

/** Checks settings of graders that a schema cannot check. @throws GatewayError INVALID_INPUT */
export const assertGraders = async (specs: readonly GraderSpec[], checks: AnswerChecks): Promise<void> => {
  const faults = await Promise.all(
    specs.map(async (spec, index) => {
      const fault = await graderOf(spec).fault?.(spec, checks)
      return fault ? [{ ...fault, path: `graders[${index}].${fault.path}` }] : []
    }),
  )
  const all = faults.flat()
  if (all.length > 0) throw invalidInput(all)
}
