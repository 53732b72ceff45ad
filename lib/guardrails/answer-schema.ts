import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Call, Message, Reply, Usage } from '../llm/types.ts'
import { usageSum } from '../llm/usage-sum.ts'
import { AttemptBudget } from '../request-context.ts'
import { choicesOf } from './answer-choices.ts'
import { type HeldAnswer, held, replayed, withWarnings } from './held-answer.ts'
import type { CheckResult } from './json-schema/messages.ts'
import type { SchemaValidator } from './json-schema/validator.ts'
import { withTurn } from './raw-body.ts'

/** What a rule says about answers that must match a JSON schema. */
export type AnswerSchemaRule = Readonly<{
  validate: boolean
  /** Asks the model once more where its answer does not match; true when absent. */
  repair?: boolean | undefined
  /** The schema that replaces the one that the client asks for; the client's when absent. */
  schema?: Readonly<Record<string, unknown>> | undefined
}>

/** How a check ended, for the log and the metrics. */
export type AnswerSchemaReport = 'valid' | 'repaired' | 'invalid' | 'unchecked'

export type AnswerSchemaDeps = Readonly<{
  ruleOf: (call: Call) => AnswerSchemaRule | undefined
  validator: Pick<SchemaValidator, 'check'>
  /** Adds its cost to the usage of an answer whose attempt began at that time. */
  priced: (usage: Usage, target: Reply['head']['target'], at: number) => Usage
  clock: Clock
  onReport: (report: AnswerSchemaReport, call: Call) => void
}>

type Invalid = Extract<CheckResult, { outcome: 'invalid' }>
type Unchecked = Extract<CheckResult, { outcome: 'unchecked' }>
/** `text`: the choice that does not match. */
type Finding = Readonly<{ outcome: 'valid' }> | (Invalid & Readonly<{ text: string }>) | Unchecked

/** The longest answer, and the longest schema of a rule, that a model is shown again. */
const LONGEST_SHOWN = 65_536

/** An answer with all its events, and when its attempt began. */
type Held = HeldAnswer & Readonly<{ at: number }>

const heldAnswer = async (reply: Reply, clock: Clock): Promise<Held> => ({
  ...(await held(reply, 'against its JSON schema')),
  at: reply.attempt?.startedAt ?? clock.now(),
})

const WARNING = 'The answer could not be checked against its JSON schema.'

/** The error of an answer without a word of it. */
const notMatching = ({ path, keyword }: Invalid): GatewayError => {
  const why = keyword === 'json' ? 'it is not valid JSON' : `${path} fails “${keyword}”`
  return new GatewayError('PROVIDER_ERROR', `The model's answer does not match its JSON schema: ${why}.`, {
    details: [{ path, message: `fails ${keyword}` }],
  })
}

const notChecked = (): GatewayError => new GatewayError('PROVIDER_ERROR', WARNING)

const schemaOf = ({ parameters, passthrough }: Call, rule: AnswerSchemaRule | undefined): unknown => {
  if (!rule?.validate || passthrough) return undefined
  const format = parameters?.responseFormat
  return rule.schema ?? (format?.type === 'json-schema' ? format.schema : undefined)
}

const correctionOf = ({ explanation }: Invalid, { schema }: AnswerSchemaRule): string => {
  const shown = schema && JSON.stringify(schema).slice(0, LONGEST_SHOWN)
  return [
    'Your previous answer does not match the JSON schema that is required.',
    `The first error: ${explanation}`,
    'Answer again with valid JSON alone that matches the schema, and with no other text.',
    ...(shown ? [`The schema: ${shown}`] : []),
  ].join('\n')
}

/** The call that asks again. It has attempts of its own, and a stream has as much time again. */
const repairCall = (
  call: Call,
  invalid: Invalid & { text: string },
  rule: AnswerSchemaRule,
  now: number,
): Call => {
  const answer = invalid.text.slice(0, LONGEST_SHOWN).toWellFormed() || '(no text)'
  const correction = correctionOf(invalid, rule)
  const turn: readonly Message[] = [
    { role: 'assistant', content: answer },
    { role: 'user', content: correction },
  ]
  return {
    ...call,
    messages: [...call.messages, ...turn],
    ...(call.raw && { raw: withTurn(call.raw, answer, correction) }),
    attempts: new AttemptBudget(),
    ...(call.stream && { deadlineAt: now + call.deadlineAt - call.startedAt }),
  }
}

/**
 * Checks answers against the JSON schema that the client asks for with `response_format`, or that the rule names, and asks
 * the model once more with the error where one does not match. All choices of an answer must match. Tool calls, refusals
 * and answers that were cut are not checked: their finish reason says what they are.
 *
 * An answer is held back until it is checked, a stream too. Both attempts are billed, and their usage is added. Rejects
 * with PROVIDER_ERROR, which names the first path that fails and no word of the answer. A client's schema that cannot be
 * checked lets the answer pass with a warning; one of the rule does not.
 */
export const answerSchema = (deps: AnswerSchemaDeps): Policy<Call, Reply> => {
  const { ruleOf, validator, priced, clock, onReport } = deps

  const check = async ({ groups }: Held, schema: string, call: Call): Promise<Finding> => {
    for (const text of choicesOf(groups.flat(), call.parameters?.choices)) {
      const result = await validator.check(schema, text)
      if (result.outcome === 'invalid') return { ...result, text }
      if (result.outcome === 'unchecked') return result
    }
    return { outcome: 'valid' }
  }

  const summed = ({ reply: first, at }: Held, second: Held): Promise<Usage> =>
    Promise.all([
      first.usage.then(usage => priced(usage, first.head.target, at)),
      second.reply.usage.then(usage => priced(usage, second.reply.head.target, second.at)),
    ]).then(usageSum)

  const ended = (
    answer: Held,
    finding: Finding,
    rule: AnswerSchemaRule,
    call: Call,
    isSecond: boolean,
  ): Held => {
    if (finding.outcome === 'valid') {
      onReport(isSecond ? 'repaired' : 'valid', call)
      return answer
    }
    onReport(finding.outcome, call)
    if (finding.outcome === 'invalid') throw notMatching(finding)
    if (rule.schema) throw notChecked()
    return withWarnings(answer, [WARNING])
  }

  return async function answerSchema(call, next) {
    const rule = ruleOf(call)
    const schema = schemaOf(call, rule)
    if (!rule || schema === undefined) return await next(call)
    const json = JSON.stringify(schema)
    const first = await heldAnswer(await next(call), clock)
    const finding = await check(first, json, call)
    if (finding.outcome !== 'invalid' || rule.repair === false)
      return replayed(ended(first, finding, rule, call, false))
    call.signal.throwIfAborted()
    const second = await heldAnswer(await next(repairCall(call, finding, rule, clock.now())), clock)
    const answer = ended(second, await check(second, json, call), rule, call, true)
    return { ...replayed(answer), usage: summed(first, second) }
  }
}
