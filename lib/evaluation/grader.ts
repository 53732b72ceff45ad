import type { AnswerChecks } from './checks/checks.ts'
import type { ModelCaller } from './model-caller.ts'
import type { GraderSpec, GraderType, Outcome, Subject } from './types.ts'

export type GraderDeps = Readonly<{
  /** Calls models as the caller of the evaluation. */
  models: ModelCaller
  /** Checks that a client's input could make slow. */
  checks: AnswerChecks
}>

/** A field of a subject without which a grader cannot work. */
export type Needed = 'reference' | 'costUsd' | 'latencyMs'

/** One way to grade an answer. */
export interface Grader<Spec extends GraderSpec> {
  readonly type: GraderType
  /** What it needs of an answer. */
  needs(spec: Spec): readonly Needed[]
  /** What is wrong with its settings, as a path and a message; absent where its schema says all of it. */
  fault?(spec: Spec, checks: AnswerChecks): Promise<Readonly<{ path: string; message: string }> | undefined>
  /** Rejects with the GatewayError of a model that could not be called. */
  grade(spec: Spec, subject: Subject, deps: GraderDeps): Promise<Outcome>
}
