import type { Policy } from '../../compose.ts'
import { GatewayError } from '../../errors.ts'
import { tap, transform } from '../../llm/events.ts'
import { textOf } from '../../llm/message.ts'
import type { Call, Reply } from '../../llm/types.ts'
import { blocked } from '../findings.ts'
import { Decisions, type GuardrailDeps } from '../policy.ts'
import { looksAtAnswers, type Profile } from '../profile.ts'
import { AnswerGuard, AnswerObserver } from './answer-guard.ts'
import { guardedBody } from './body-guard.ts'
import { judgedAnswer } from './judged-answer.ts'

const systemPromptsOf = ({ messages }: Call): readonly string[] =>
  messages.flatMap(({ role, content }) =>
    role === 'system' || role === 'developer' ? [textOf(content)] : [],
  )

/** Several answers at once are read only as they pass: those of a client's own format. */
const assertOneAnswer = ({ parameters }: Call): void => {
  if ((parameters?.choices ?? 1) > 1)
    throw new GatewayError(
      'INVALID_INPUT',
      'Only one answer can be asked for where guardrails change answers.',
      {
        details: [{ path: 'n', message: 'must be 1' }],
      },
    )
}

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

/** Looks at what a model writes, before it is stored or sent: what must not leave is replaced, or ends the answer. */
export const guardOutput = (deps: GuardrailDeps): Policy<Call, Reply> =>
  async function guardOutput(call, next) {
    const profile = call.rules === undefined ? undefined : deps.profileOf(call.rules)
    if (!profile || !looksAtAnswers(profile)) return await next(call)
    if (profile.changesAnswers) assertOneAnswer(call)
    const reply = await next(call)
    if (call.passthrough) return guardedBody(reply, call, profile, deps)
    return judgedAnswer(guardedAnswer(reply, call, profile, deps), call, profile, deps)
  }
