/** The graders, by the names that requests use. */
export const GRADER_TYPES = [
  'exact',
  'contains',
  'regex',
  'json-schema',
  'similarity',
  'cost',
  'latency',
  'judge',
] as const
export type GraderType = (typeof GRADER_TYPES)[number]

/** One message of a conversation that was the input. */
export type InputMessage = Readonly<{ role: 'system' | 'user' | 'assistant'; content: string }>
export type EvaluationInput = string | readonly InputMessage[]

/** An answer with everything that it can be graded by. */
export type Subject = Readonly<{
  input: EvaluationInput
  answer: string
  /** The answer that was expected. */
  reference?: string | undefined
  /** What a good answer is, in words for a model that grades. */
  rubric?: string | undefined
  /** What the answer cost; absent where that is unknown. */
  costUsd?: number | undefined
  latencyMs?: number | undefined
}>

/** What all graders can be given. */
export type CommonSpec = Readonly<{
  /** The name of its grades, unique within one evaluation. */
  name: string
  /** Its share in the score of the whole. */
  weight: number
}>

export type ExactSpec = CommonSpec &
  Readonly<{ type: 'exact'; value?: string | undefined; ignoreCase: boolean; trim: boolean }>
export type ContainsSpec = CommonSpec &
  Readonly<{
    type: 'contains'
    values?: readonly string[] | undefined
    match: 'all' | 'any'
    ignoreCase: boolean
  }>
export type RegexSpec = CommonSpec & Readonly<{ type: 'regex'; pattern: string; flags: string }>
export type JsonSchemaSpec = CommonSpec & Readonly<{ type: 'json-schema'; schema: unknown }>
export type SimilaritySpec = CommonSpec &
  Readonly<{ type: 'similarity'; model?: string | undefined; threshold: number }>
export type CostSpec = CommonSpec & Readonly<{ type: 'cost'; maxUsd: number }>
export type LatencySpec = CommonSpec & Readonly<{ type: 'latency'; maxMs: number }>
export type JudgeSpec = CommonSpec &
  Readonly<{
    type: 'judge'
    model?: string | undefined
    rubric?: string | undefined
    /** Another answer, to which the graded one is compared. */
    baseline?: string | undefined
    threshold: number
  }>

export type GraderSpec =
  | ExactSpec
  | ContainsSpec
  | RegexSpec
  | JsonSchemaSpec
  | SimilaritySpec
  | CostSpec
  | LatencySpec
  | JudgeSpec

/** The result of one grader. `score` is from 0 to 1, and absent where it could not be determined. */
export type Outcome = Readonly<{ score?: number; passed: boolean; reason: string }>

export type Grade = Outcome & Readonly<{ name: string; type: GraderType }>

/** All grades of one answer. `score` is their weighted mean; absent where no grader could determine one. */
export type Grading = Readonly<{ score?: number; passed: boolean; grades: readonly Grade[] }>
