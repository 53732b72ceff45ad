import type { Handler, Policy } from '../../compose.ts'
import { tap, transform } from '../../llm/events.ts'
import type { Call, Reply } from '../../llm/types.ts'
import { blocked } from '../findings.ts'
import { Decisions, type GuardrailDeps } from '../policy.ts'
import { isForOutput, looksAtAnswers, type Profile } from '../profile.ts'
import { systemPromptsOf } from '../system-prompt.ts'
import { assertRewritable } from './answer-forms.ts'
import { AnswerGuard, AnswerObserver } from './answer-guard.ts'
import { assertNoLogprobs, guardedBody, hasTextBody, observedBody } from './body-guard.ts'
import { judgedAnswer } from './judged-answer.ts'

const guardedAnswer = (reply: Reply, call: Call, profile: Profile, deps: GuardrailDeps): Reply => {
  const decisions = new Decisions(call, profile, deps)
  const guard = profile.output.withSystemPrompts(systemPromptsOf(call))
  if (!profile.changesAnswers)
    return tap(reply, {
      onEvents: new AnswerObserver(guard, (verdict, place) => decisions.on(verdict, place, 'output')).take,
    })
  return transform(
    reply,
    new AnswerGuard(guard, {
      actionOn: (verdict, place) => decisions.on(verdict, place, 'output'),
      blocked,
      warnings: () => decisions.warnings,
    }).take,
  )
}

/** The answer of an endpoint beside chat: it is read to its end where something may be done about it. */
const guardedPassthrough = async (
  call: Call,
  next: Handler<Call, Reply>,
  profile: Profile,
  deps: GuardrailDeps,
): Promise<Reply> => {
  if (!hasTextBody(call)) return await next(call)
  if (profile.changesAnswers) assertNoLogprobs(call)
  const mayWait = !call.stream || profile.changesAnswers || profile.settings.judges?.some(isForOutput)
  const reply = await next(call)
  return mayWait ? await guardedBody(reply, call, profile, deps) : observedBody(reply, call, profile, deps)
}

/** Looks at what a model writes, before it is stored or sent: what must not leave is replaced, or ends the answer. */
export const guardOutput = (deps: GuardrailDeps): Policy<Call, Reply> =>
  async function guardOutput(call, next) {
    const profile = call.rules === undefined ? undefined : deps.profileOf(call.rules)
    if (!profile || !looksAtAnswers(profile)) return await next(call)
    if (call.passthrough) return await guardedPassthrough(call, next, profile, deps)
    if (profile.changesAnswers) assertRewritable(call)
    const reply = await next(call)
    return judgedAnswer(guardedAnswer(reply, call, profile, deps), call, profile, deps)
  }
