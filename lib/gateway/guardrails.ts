import type { AuditService } from '../audit/service.ts'
import { allowsRoute, matchesName } from '../auth/keys/scopes.ts'
import type { Clock } from '../clock.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import { type GuardrailMatch, guardrailsOf } from '../config/guardrails/settings.ts'
import type { Environment } from '../config/schema.ts'
import { Duplicates } from '../guardrails/duplicates.ts'
import { VerdictMemory } from '../guardrails/inspect.ts'
import type { GuardedRequest, GuardrailDeps } from '../guardrails/policy.ts'
import { type Profile, profileOf } from '../guardrails/profile.ts'
import { guardedResult } from '../guardrails/tool-results.ts'
import type { GuardrailMetrics } from '../observability/guardrail-metrics.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { GuardrailFinding } from '../request-context.ts'
import type { CheckResult } from '../tools/loop/own-calls.ts'

/** What guardrails keep beyond a reload of the configuration. */
export type GuardrailRuntime = Readonly<{
  memory: VerdictMemory
  metrics: GuardrailMetrics
  /** The counts of repeated contents, by the version of the profile. */
  duplicates: Map<string, Duplicates>
}>

export const buildGuardrails = (metrics: Metrics): GuardrailRuntime => ({
  memory: new VerdictMemory(),
  metrics: metrics.ofGuardrails(),
  duplicates: new Map(),
})

const fitsAny = (patterns: readonly string[] | undefined, names: readonly (string | undefined)[]): boolean =>
  patterns === undefined ||
  names.some(name => name !== undefined && patterns.some(pattern => matchesName(name, pattern)))

const fits = ({ caller, route, model }: GuardedRequest, match: GuardrailMatch): boolean => {
  const key = caller.kind === 'key' ? caller : undefined
  return (
    fitsAny(match.keys, [key?.id, key?.name]) &&
    fitsAny(match.owners, [key?.owner]) &&
    fitsAny(match.callers, [caller.kind]) &&
    allowsRoute(match.routes && { routes: match.routes }, route) &&
    fitsAny(match.models, [model])
  )
}

export type GuardrailWiring = Readonly<{
  env: Environment
  clock: Clock
  guardrails: GuardrailRuntime
  /** Called where a content is blocked. */
  onBlocked: (finding: GuardrailFinding, request: GuardedRequest) => void
}>

/** What the policies need; undefined where guardrails are switched off. @throws ConfigurationError */
export const guardrailDepsOf = (
  { env, clock, guardrails: { memory, metrics, duplicates }, onBlocked }: GuardrailWiring,
  file: ConfigFile,
): GuardrailDeps | undefined => {
  const configured = guardrailsOf(env.ENABLE_GUARDRAILS, file.guardrails)
  if (!configured) return undefined
  const profiles = configured.map(({ match, settings }) => ({
    match,
    profile: settings && profileOf(settings),
  }))
  const byVersion = new Map<string, Profile>()
  for (const { profile } of profiles) if (profile) byVersion.set(profile.version, profile)
  return {
    profileFor: request => profiles.find(({ match }) => fits(request, match))?.profile,
    profileOf: version => byVersion.get(version),
    memory,
    duplicatesOf: ({ version, settings }) => {
      if (!settings.duplicates) return undefined
      const known = duplicates.get(version) ?? new Duplicates(clock.now, settings.duplicates)
      duplicates.set(version, known)
      return known
    },
    onFinding: (finding, request) => {
      metrics.found(finding)
      if (finding.action === 'block' && !finding.isShadow) onBlocked(finding, request)
    },
    clock,
  }
}

/** Looks at the results of tools before a model or a caller reads them. */
export const checkResultOf =
  (deps: GuardrailDeps | undefined): CheckResult =>
  async (run, request) => {
    if (!deps || !run.ok) return run
    const json = JSON.stringify(run.result.data)
    const guarded = await guardedResult(json, request, deps.profileFor(request), deps)
    if (guarded.withheldBy !== undefined)
      return { ok: false, reason: 'withheld', message: `The rail ${guarded.withheldBy} withheld the result.` }
    return guarded.json === json ? run : { ...run, result: { ...run.result, data: JSON.parse(guarded.json) } }
  }

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
