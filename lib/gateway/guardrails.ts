import { randomUUID } from 'node:crypto'
import type { AuditService } from '../audit/service.ts'
import { allowsRoute, matchesName } from '../auth/keys/scopes.ts'
import type { Clock } from '../clock.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import { judgeSettings } from '../config/guardrails/judges.ts'
import { type GuardrailMatch, guardrailsOf } from '../config/guardrails/settings.ts'
import type { Environment } from '../config/schema.ts'
import { isAmongModels, type ModelNames } from '../guardrails/allowed-models.ts'
import type { AnswerSchemaDeps } from '../guardrails/answer-schema.ts'
import { Duplicates } from '../guardrails/duplicates.ts'
import { guardedJson } from '../guardrails/guarded-json.ts'
import { guardedCall } from '../guardrails/input.ts'
import { VerdictMemory } from '../guardrails/inspect.ts'
import { SchemaValidator } from '../guardrails/json-schema/validator.ts'
import { isJson } from '../guardrails/json-strings.ts'
import { JudgeRuntime } from '../guardrails/judges/registry.ts'
import type { Judge } from '../guardrails/judges/types.ts'
import type { GuardedRequest, GuardrailDeps } from '../guardrails/policy.ts'
import {
  type GuardrailSettings,
  type JudgeUse,
  looksAtAnswers,
  type Profile,
  profileOf,
} from '../guardrails/profile.ts'
import type { SystemPromptDeps } from '../guardrails/system-prompt.ts'
import { requireSystemPrompt, systemPromptsOf } from '../guardrails/system-prompt.ts'
import { type Prices, pricedUsage } from '../ledger/meter.ts'
import type { Call } from '../llm/types.ts'
import type { GuardrailMetrics } from '../observability/guardrail-metrics.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { GuardrailFinding } from '../request-context.ts'
import type { CheckArguments, CheckResult, ToolChecks } from '../tools/loop/own-calls.ts'
import { serviceClientOf } from './tools.ts'

/** What guardrails keep beyond a reload of the configuration. */
export type GuardrailRuntime = Readonly<{
  memory: VerdictMemory
  metrics: GuardrailMetrics
  /** The counts of repeated contents, by the version of the profile. */
  duplicates: Map<string, Duplicates>
  judges: JudgeRuntime
  validator: SchemaValidator
}>

type BuildDeps = Readonly<{ env: Environment; clock: Clock; logger: Logger; metrics: Metrics }>

export const buildGuardrails = ({ env, clock, logger, metrics }: BuildDeps): GuardrailRuntime => {
  const component = 'guardrails'
  const figures = metrics.ofGuardrails()
  return {
    memory: new VerdictMemory(),
    metrics: figures,
    duplicates: new Map(),
    judges: new JudgeRuntime({
      client: serviceClientOf(env, clock),
      clock,
      random: Math.random,
      newId: () => randomUUID(),
      onReport: ({ judge, outcome, tookMs }) => {
        figures.judged(judge, outcome, tookMs)
        if (outcome !== 'clean' && outcome !== 'found' && outcome !== 'aborted')
          logger.warn({ component, service: judge, outcome, latencyMs: Math.round(tookMs) }, 'no verdict')
      },
      onCircuit: (judge, { name: circuit }) =>
        logger.warn({ component, service: judge, circuit }, 'circuit changed'),
    }),
    validator: new SchemaValidator(clock),
  }
}

/** What of a judge is part of the version of the rules. */
const useOf = ({ name, places, failMode, action, version }: Judge): JudgeUse => ({
  name,
  places,
  failMode,
  action,
  version,
})

const fitsAny = (patterns: readonly string[] | undefined, names: readonly (string | undefined)[]): boolean =>
  patterns === undefined ||
  names.some(name => name !== undefined && patterns.some(pattern => matchesName(name, pattern)))

const fits = (
  { caller, route, model }: GuardedRequest,
  match: GuardrailMatch,
  names: ModelNames,
): boolean => {
  const key = caller.kind === 'key' ? caller : undefined
  return (
    fitsAny(match.keys, [key?.id, key?.name]) &&
    fitsAny(match.owners, [key?.owner]) &&
    fitsAny(match.callers, [caller.kind]) &&
    allowsRoute(match.routes && { routes: match.routes }, route) &&
    (match.models === undefined || isAmongModels(model, match.models, names))
  )
}

export type GuardrailWiring = Readonly<{
  env: Environment
  clock: Clock
  guardrails: GuardrailRuntime
  /** Called where a content is blocked. */
  onBlocked: (finding: GuardrailFinding, request: GuardedRequest) => void
}>

/** What each policy needs; undefined where no call has a use for it. */
export type Guardrails = Readonly<{
  input: GuardrailDeps | undefined
  output: GuardrailDeps | undefined
  systemPrompts: SystemPromptDeps | undefined
  answerSchemas: AnswerSchemaDeps | undefined
  allowedModels: GuardrailDeps | undefined
}>

const SWITCHED_OFF: Guardrails = {
  input: undefined,
  output: undefined,
  systemPrompts: undefined,
  answerSchemas: undefined,
  allowedModels: undefined,
}

type Configured = Readonly<{ deps: GuardrailDeps; profiles: readonly Profile[] }>

/** Undefined where guardrails are switched off. @throws ConfigurationError */
const configuredOf = (
  { env, clock, guardrails, onBlocked }: GuardrailWiring,
  file: ConfigFile,
  models: ModelNames,
): Configured | undefined => {
  const { memory, metrics, duplicates } = guardrails
  const judges = guardrails.judges.judgesOf(judgeSettings(file.guardrails?.judges ?? []))
  const configured = guardrailsOf(env.ENABLE_GUARDRAILS, file.guardrails, judges.map(useOf))
  if (!configured) return undefined
  const rules = configured.map(({ match, settings }) => ({ match, profile: settings && profileOf(settings) }))
  const profiles = rules.flatMap(({ profile }) => profile ?? [])
  const byVersion = new Map(profiles.map(profile => [profile.version, profile]))
  const deps: GuardrailDeps = {
    profileFor: request => rules.find(({ match }) => fits(request, match, models))?.profile,
    profileOf: version => byVersion.get(version),
    memory,
    judgeOf: name => judges.find(judge => judge.name === name),
    models,
    duplicatesOf: ({ version, settings }) => {
      if (!settings.duplicates) return undefined
      const known = duplicates.get(version) ?? new Duplicates(clock.now, settings.duplicates)
      duplicates.set(version, known)
      return known
    },
    onFinding: (finding, count, request) => {
      metrics.found(finding, count)
      if (finding.action === 'block' && !finding.isShadow) onBlocked(finding, request)
    },
    clock,
  }
  return { deps, profiles }
}

/** The guardrails of a configuration. @throws ConfigurationError */
export const guardrailsFor = (
  wiring: GuardrailWiring,
  file: ConfigFile,
  { models, prices }: Readonly<{ models: ModelNames; prices: Prices }>,
): Guardrails => {
  const configured = configuredOf(wiring, file, models)
  if (!configured) return SWITCHED_OFF
  const { deps, profiles } = configured
  const { validator, metrics } = wiring.guardrails
  const settingsOf = ({ rules }: Call) => (rules === undefined ? undefined : deps.profileOf(rules)?.settings)
  const areUsed = (member: keyof GuardrailSettings): boolean =>
    profiles.some(({ settings }) => settings[member] !== undefined)
  return {
    input: profiles.length > 0 ? deps : undefined,
    output: profiles.some(looksAtAnswers) ? deps : undefined,
    systemPrompts: areUsed('systemPrompt') ? { promptOf: call => settingsOf(call)?.systemPrompt } : undefined,
    answerSchemas: areUsed('answerSchema')
      ? {
          ruleOf: call => settingsOf(call)?.answerSchema,
          validator,
          priced: (usage, target, at) => pricedUsage(usage, target, prices, at),
          clock: wiring.clock,
          onReport: report => metrics.schemaChecked(report),
        }
      : undefined,
    allowedModels: areUsed('allowedModels') ? deps : undefined,
  }
}

/** A call as it would be sent to a provider, for one that only counts its tokens. */
export const asSentOf =
  ({ input, systemPrompts }: Guardrails) =>
  async (call: Call): Promise<Call> => {
    const clean = input ? await guardedCall(call, input) : call
    const prompt = systemPrompts?.promptOf(clean)
    return prompt === undefined ? clean : requireSystemPrompt(clean, prompt)
  }

const profileOfRequest = (deps: GuardrailDeps, request: GuardedRequest): Profile | undefined =>
  request.rules === undefined ? deps.profileFor(request) : deps.profileOf(request.rules)

/** Looks at the results of tools before a model or a caller reads them. */
const resultCheck =
  (deps: GuardrailDeps): CheckResult =>
  async (run, request) => {
    const profile = profileOfRequest(deps, request)
    if (!run.ok || !profile) return run
    const json = JSON.stringify(run.result.data)
    const guarded = await guardedJson(
      json,
      { place: 'tool-result', guard: profile.input, request, profile },
      deps,
    )
    if ('withheldBy' in guarded)
      return {
        ok: false,
        reason: 'withheld',
        message: `The guardrail “${guarded.withheldBy}” withheld the result.`,
      }
    return guarded.json === json ? run : { ...run, result: { ...run.result, data: JSON.parse(guarded.json) } }
  }

const argumentsWithheldBy = (rail: string): string => `The guardrail “${rail}” withheld the arguments.`

/** Looks at what a caller gives a tool itself: it goes to a third party, as what it asks a model does. */
const argumentsCheck =
  (deps: GuardrailDeps): CheckArguments =>
  async (input, request) => {
    const profile = profileOfRequest(deps, request)
    if (!profile) return { input }
    const json = JSON.stringify(input)
    const guarded = await guardedJson(
      json,
      { place: 'tool-arguments', guard: profile.input, request, profile },
      deps,
    )
    if ('withheldBy' in guarded) return { withheld: argumentsWithheldBy(guarded.withheldBy) }
    return { input: guarded.json === json ? input : JSON.parse(guarded.json) }
  }

/** Looks at what a model writes to the gateway's own tools: it goes to a third party. */
const callCheck =
  (deps: GuardrailDeps): ToolChecks['call'] =>
  async (call, request) => {
    const profile = profileOfRequest(deps, request)
    if (!profile || call.arguments === '') return { call }
    const guard = profile.output.withSystemPrompts(systemPromptsOf(request))
    const isText = !isJson(call.arguments)
    const json = isText ? JSON.stringify(call.arguments) : call.arguments
    const guarded = await guardedJson(json, { place: 'tool-arguments', guard, request, profile }, deps)
    if ('withheldBy' in guarded)
      return {
        call: { ...call, arguments: '{}' },
        withheld: argumentsWithheldBy(guarded.withheldBy),
      }
    if (guarded.json === json) return { call }
    return { call: { ...call, arguments: isText ? JSON.parse(guarded.json) : guarded.json } }
  }

/** What goes to tools and what comes from them, as guardrails let it pass. */
export const toolChecksOf = ({ input: deps }: Guardrails): ToolChecks =>
  deps
    ? { call: callCheck(deps), arguments: argumentsCheck(deps), result: resultCheck(deps) }
    : { call: async call => ({ call }), arguments: async input => ({ input }), result: async run => run }

/** Records blocked contents in the audit log: the rail and the place, never the text. */
export const auditBlocks =
  (audit: Pick<AuditService, 'append'>, onError: (error: unknown) => void): GuardrailWiring['onBlocked'] =>
  ({ rail, rule, place }, { caller, requestId, client }) => {
    const actor =
      caller.kind === 'key' ? ({ kind: 'key', id: caller.id } as const) : ({ kind: 'anonymous' } as const)
    void audit
      .append({
        actor,
        action: 'guardrail.block',
        object: requestId,
        detail: { rail, rule, place },
        address: client.address,
        requestId,
      })
      .catch(onError)
  }
