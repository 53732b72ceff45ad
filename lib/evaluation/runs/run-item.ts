import type { EvaluationItem } from '../../batch/run.ts'
import type { EvaluationRequest, ItemReply } from '../../batch/types.ts'
import { GatewayError } from '../../errors.ts'
import { usdOf } from '../../money.ts'
import type { RequestContext } from '../../request-context.ts'
import type { AnswerChecks, Checks } from '../checks/checks.ts'
import type { DatasetRow } from '../datasets/types.ts'
import { gradeAnswer } from '../grade.ts'
import { ModelCaller, type ModelCallerDeps } from '../model-caller.ts'
import { messagesFor } from './prompt.ts'
import type { RunRecords } from './records.ts'
import type { Plan, RunAnswer, RunGrading, Variant } from './types.ts'

export type RunItemDeps = Readonly<{
  records: Pick<RunRecords, 'stored' | 'putAnswer' | 'putGrading'>
  planOf: (id: string) => Promise<Plan | undefined>
  models: ModelCallerDeps
  checks: Checks
}>

const gone = (): GatewayError => new GatewayError('NOT_FOUND', 'The evaluation was deleted.')

/** The row that was stored with the item. */
const rowOf = ({ row }: EvaluationRequest): DatasetRow => row as DatasetRow

const asked = async (variant: Variant, row: DatasetRow, models: ModelCaller): Promise<RunAnswer> => {
  const { temperature, maxTokens, topP, seed } = variant.parameters
  const { text, finishReason, truncated, target, usage, cache, latencyMs } = await models.chat({
    label: 'answer',
    model: variant.model,
    messages: messagesFor(variant, row),
    temperature,
    maxOutputTokens: maxTokens,
    ...((topP !== undefined || seed !== undefined) && {
      parameters: { ...(topP !== undefined && { topP }), ...(seed !== undefined && { seed }) },
    }),
    cache: variant.cache,
  })
  return {
    text,
    finishReason,
    truncated,
    provider: target.provider,
    model: target.name,
    providerModel: target.model,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    cache,
    costPicoUsd: models.costPicoUsd,
    latencyMs: Math.round(latencyMs * 10) / 10,
  }
}

const graded = async (
  { graders }: Plan,
  answer: RunAnswer,
  { input, reference, rubric }: DatasetRow,
  { models, checks }: Readonly<{ models: ModelCaller; checks: AnswerChecks }>,
): Promise<RunGrading> => {
  const { text, costPicoUsd, latencyMs } = answer
  const costUsd = costPicoUsd === undefined ? undefined : usdOf(costPicoUsd)
  const subject = { input, reference, rubric, answer: text, costUsd, latencyMs }
  const grading = await gradeAnswer(graders, subject, { models, checks })
  return { ...grading, costPicoUsd: models.costPicoUsd }
}

/** The answer's text is with its grades. */
const replyOf = (answer: RunAnswer, grading: RunGrading): ItemReply => {
  const { finishReason, truncated, provider, model, providerModel, cache } = answer
  const isPriced = answer.costPicoUsd !== undefined && grading.costPicoUsd !== undefined
  return {
    content: '',
    finishReason,
    truncated,
    target: { provider, model: providerModel, name: model },
    usage: { inputTokens: answer.inputTokens, outputTokens: answer.outputTokens },
    cache,
    ...(isPriced && { costPicoUsd: (answer.costPicoUsd ?? 0) + (grading.costPicoUsd ?? 0) }),
  }
}

/**
 * One row for one variant: the model is asked, its answer stored, graded, and the grades stored. A run that was
 * interrupted goes on after what is stored: an answer is not asked for, and not graded, twice.
 */
export const runItem =
  ({ records, planOf, models, checks }: RunItemDeps) =>
  (context: RequestContext, request: EvaluationRequest, index: number): EvaluationItem => {
    const answering = new ModelCaller(context, models)
    const grading = new ModelCaller(context, models)
    const { evaluation: id } = request
    return {
      get hasAsked() {
        return answering.hasAsked || grading.hasAsked
      },
      async run() {
        const plan = await planOf(id)
        const variant = plan?.variants[request.variant]
        if (!plan || !variant) throw gone()
        const stored = await records.stored(id, index)
        const answer = stored.answer ?? (await asked(variant, rowOf(request), answering))
        if (!stored.answer) await records.putAnswer(id, index, answer)
        if (stored.grading) return replyOf(answer, stored.grading)
        const grades = await graded(plan, answer, rowOf(request), {
          models: grading,
          checks: checks.for(context),
        })
        await records.putGrading(id, index, grades)
        return replyOf(answer, grades)
      },
    }
  }
