import { INJECTION_PRESETS } from '../../guardrails/injection/rail.ts'
import type { GuardrailSettings, JudgeUse } from '../../guardrails/profile.ts'
import { ConfigurationError } from '../env.ts'
import type { GuardrailsSection, RailsSection } from './schema.ts'

const PRESETS = {
  default: { injection: {}, sensitiveData: {} },
  strict: {
    injection: {},
    sensitiveData: { input: 'redact', output: 'redact' },
    systemPromptLeak: 'block',
  },
} as const satisfies Record<string, RailsSection>

/** The text with variables in place of their references. @throws ConfigurationError for one that is not set */
const resolved = (text: string, path: string): string =>
  text.replace(/\$\{(\w+)\}/g, (_, variable: string) => {
    const value = process.env[variable]
    if (value === undefined || value.length < 8)
      throw new ConfigurationError([
        `${path}: needs the variable ${variable}, of at least 8 characters, which is not set`,
      ])
    return value
  })

const injectionOf = ({ injection, preset }: RailsSection): GuardrailSettings['injection'] => {
  if (injection === false || injection === undefined) return undefined
  const scores = INJECTION_PRESETS[injection.preset ?? preset ?? 'default']
  return {
    flagFrom: injection.flagFrom ?? scores.flag,
    // A score of 1 is never reached.
    blockFrom: injection.blockFrom === 1 ? 2 : (injection.blockFrom ?? scores.block),
    action: injection.action ?? 'block',
  }
}

const railsOf = (section: RailsSection, judges: readonly JudgeUse[]): GuardrailSettings => {
  const { sensitiveData, canaries, lists, duplicates } = section
  return {
    isShadow: section.mode === 'shadow',
    injection: injectionOf(section),
    sensitiveData: sensitiveData
      ? {
          input: sensitiveData.input ?? 'flag',
          output: sensitiveData.output ?? 'ignore',
          kinds: sensitiveData.kinds,
        }
      : undefined,
    canaries: canaries && {
      values: canaries.values.map(value => resolved(value, 'guardrails.canaries')),
      action: canaries.action ?? 'block',
    },
    systemPromptLeak: section.systemPromptLeak,
    lists: lists?.map(({ name, kind = 'word', words, action = 'block', places }) => ({
      name,
      kind,
      words,
      action,
      ...(places && { places }),
    })),
    longestInput: section.longestInputCharacters,
    duplicates: duplicates && {
      most: duplicates.most ?? 5,
      windowMs: (duplicates.windowSeconds ?? 60) * 1000,
      action: duplicates.action ?? 'refuse',
    },
    systemPrompt: section.systemPrompt,
    allowedModels: section.allowedModels,
    answerSchema: section.answerSchema && { validate: true, ...section.answerSchema },
    anotherModel: section.anotherModel,
    judges: judges.length > 0 ? judges : undefined,
  }
}

/** Which calls a rule is for; an absent member fits all. */
export type GuardrailMatch = Readonly<{
  keys?: readonly string[] | undefined
  owners?: readonly string[] | undefined
  callers?: readonly string[] | undefined
  routes?: readonly string[] | undefined
  models?: readonly string[] | undefined
}>

/** The guardrails of all calls, the first fit first; undefined settings: not guarded. */
export type ConfiguredGuardrails = readonly Readonly<{
  match: GuardrailMatch
  settings: GuardrailSettings | undefined
}>[]

/**
 * What is configured: the rules, then what applies to all other calls. Undefined where guardrails are switched off.
 *
 * @param judges those of the section
 * @throws ConfigurationError for a variable that is not set
 */
export const guardrailsOf = (
  isEnabled: boolean,
  section: GuardrailsSection = {},
  judges: readonly JudgeUse[] = [],
): ConfiguredGuardrails | undefined => {
  const { enabled = isEnabled, rules = [], judges: _, ...general } = section
  if (!enabled) return undefined
  const usual = { ...PRESETS[general.preset ?? 'default'], ...general }
  return [
    ...rules.map(
      ({ name: _, enabled: isOn = true, keys, owners, callers, routes, models, judges: named, ...own }) => ({
        match: { keys, owners, callers, routes, models },
        settings: isOn
          ? railsOf(
              { ...usual, ...(own.preset && PRESETS[own.preset]), ...own },
              judges.filter(({ name }) => named?.includes(name) ?? true),
            )
          : undefined,
      }),
    ),
    { match: {}, settings: railsOf(usual, judges) },
  ]
}
