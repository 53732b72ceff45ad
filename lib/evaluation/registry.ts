import type { Grader } from './grader.ts'
import { contains } from './graders/contains.ts'
import { cost } from './graders/cost.ts'
import { exact } from './graders/exact.ts'
import { jsonSchema } from './graders/json-schema.ts'
import { judge } from './graders/judge.ts'
import { latency } from './graders/latency.ts'
import { regex } from './graders/regex.ts'
import { similarity } from './graders/similarity.ts'
import type { GraderSpec } from './types.ts'

type Registry = { readonly [Type in GraderSpec['type']]: Grader<Extract<GraderSpec, { type: Type }>> }

const GRADERS: Registry = {
  exact,
  contains,
  regex,
  'json-schema': jsonSchema,
  similarity,
  cost,
  latency,
  judge,
}

/** The grader of a specification. */
export const graderOf = <Spec extends GraderSpec>({ type }: Spec): Grader<Spec> =>
  GRADERS[type] as unknown as Grader<Spec>
