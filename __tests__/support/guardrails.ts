import type { Clock } from '#lib/clock.ts'
import { guardrailsOf } from '#lib/config/guardrails/settings.ts'
import type { Guardrails } from '#lib/gateway/guardrails.ts'
import { Duplicates } from '#lib/guardrails/duplicates.ts'
import { VerdictMemory } from '#lib/guardrails/inspect.ts'
import type { GuardrailDeps } from '#lib/guardrails/policy.ts'
import { type GuardrailSettings, profileOf } from '#lib/guardrails/profile.ts'
import type { GuardrailFinding } from '#lib/request-context.ts'

/** The settings of a gateway without a configuration file. */
export const defaultGuardrails = (): GuardrailSettings => guardrailsOf(true)?.at(-1)?.settings ?? {}

/** Guardrails with one profile for all calls, and what they found. */
export const guardrailDeps = (
  clock: Clock,
  settings: GuardrailSettings = defaultGuardrails(),
): GuardrailDeps & Readonly<{ findings: GuardrailFinding[] }> => {
  const profile = profileOf(settings)
  const duplicates = settings.duplicates && new Duplicates(clock.now, settings.duplicates)
  const findings: GuardrailFinding[] = []
  return {
    profileFor: () => profile,
    profileOf: version => (version === profile.version ? profile : undefined),
    memory: new VerdictMemory(),
    judgeOf: () => undefined,
    models: { targetOf: () => undefined, targetsOfAlias: () => undefined },
    duplicatesOf: () => duplicates,
    onFinding: finding => findings.push(finding),
    clock,
    findings,
  }
}

/** Guardrails of which every policy is there. */
export const allGuardrails = (clock: Clock): Guardrails => {
  const deps = guardrailDeps(clock)
  return {
    input: deps,
    output: deps,
    systemPrompts: { promptOf: () => undefined },
    answerSchemas: {
      ruleOf: () => undefined,
      validator: { check: async () => ({ outcome: 'valid' }) },
      priced: usage => usage,
      clock,
      onReport: () => {},
    },
    allowedModels: deps,
  }
}
