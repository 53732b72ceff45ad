import { allowsModel, matchesName } from '../auth/keys/scopes.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Call, Reply, Target } from '../llm/types.ts'

/** What a name of a model stands for. */
export type ModelNames = Readonly<{
  /** The target of a name; undefined for an alias, and for an unknown name. */
  targetOf: (model: string) => Target | undefined
  /** The targets of an alias; undefined for other names. */
  targetsOfAlias: (name: string) => readonly Target[] | undefined
}>

const namesOf = ({ name, model, provider }: Target): readonly string[] => [
  name,
  model,
  `${provider}/${model}`,
]

const namesOfTarget = (target: Target | undefined): readonly string[] => (target ? namesOf(target) : [])

/**
 * Whether a model that is asked for is among those of a rule, by any of its names: as requested, the gateway's, the
 * provider's, or `provider/model`. An alias is, where it is named itself or each of its targets is.
 *
 * @param patterns `*` stands for any characters
 */
export const isAmongModels = (
  model: string | undefined,
  patterns: readonly string[],
  { targetOf, targetsOfAlias }: ModelNames,
): boolean => {
  if (model === undefined) return false
  const isNamed = (names: readonly string[]): boolean =>
    names.some(name => patterns.some(pattern => matchesName(name, pattern)))
  const target = targetOf(model)
  const targets = targetsOfAlias(model) ?? (target ? [target] : [])
  return isNamed([model]) || (targets.length > 0 && targets.every(one => isNamed(namesOf(one))))
}

/** 403 on `/api`; on `/v1` a model that does not exist, as OpenAI's clients know it. */
const notAllowed = (model: string): GatewayError =>
  new GatewayError('FORBIDDEN', `The model “${model}” is not allowed here.`, { unknownModel: true })

/**
 * Refuses a call of a model outside a list. A model is allowed by any of its names: as requested, the gateway's, the
 * provider's, or `provider/model`.
 *
 * @param allowed patterns as in the scopes of keys: `*` stands for any characters
 * @throws GatewayError FORBIDDEN
 */
export const refuseModel = (
  { model }: Pick<Call, 'model'>,
  allowed: readonly string[],
  { targetOf }: Pick<ModelNames, 'targetOf'>,
): void => {
  if (!allowsModel({ models: allowed }, [model, ...namesOfTarget(targetOf(model))])) throw notAllowed(model)
}

/**
 * The targets of a plan that a list allows, so that no fallback leaves it. An allowed alias brings the targets that are
 * listed for it.
 *
 * @throws GatewayError FORBIDDEN where none is left
 */
export const allowedPlan = (
  { model, plan }: Pick<Call, 'model' | 'plan'>,
  allowed: readonly string[],
  { targetOf, targetsOfAlias }: ModelNames,
): readonly Target[] => {
  const isRequestAllowed = allowsModel({ models: allowed }, [model, ...namesOfTarget(targetOf(model))])
  const requested = isRequestAllowed ? (targetsOfAlias(model) ?? [targetOf(model)]) : []
  const names = new Set(requested.flatMap(target => target?.name ?? []))
  const left = plan.filter(
    target => names.has(target.name) || allowsModel({ models: allowed }, namesOf(target)),
  )
  if (left.length === 0) throw notAllowed(model)
  return left
}

/** Leaves out the targets of a plan that the rules of a call do not allow. */
export const allowedTargets = (
  deps: Readonly<{
    profileOf: (
      version: string,
    ) => Readonly<{ settings: Readonly<{ allowedModels?: readonly string[] | undefined }> }> | undefined
    models: ModelNames
  }>,
): Policy<Call, Reply> =>
  async function allowedTargets(call, next) {
    const allowed = call.rules === undefined ? undefined : deps.profileOf(call.rules)?.settings.allowedModels
    return await next(allowed ? { ...call, plan: allowedPlan(call, allowed, deps.models) } : call)
  }
