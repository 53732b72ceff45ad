import type { Caller, KeyIdentity } from '../caller.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Call, Reply, Target } from '../llm/types.ts'
import { allowsModel } from './keys/scopes.ts'

/** All names of a model: as it was requested, ours, the provider's own, and both with the provider. */
type ModelNames = (model: string) => readonly string[]

export type ModelScopeDeps = Readonly<{
  /** The target of a model name; undefined for an alias, and for an unknown name. */
  targetOf: (model: string) => Target | undefined
  /** The targets of an alias; undefined for other names. */
  targetsOfAlias: (name: string) => readonly Target[] | undefined
}>

const namesOf = ({ targetOf }: ModelScopeDeps): ModelNames => {
  return model => {
    const target = targetOf(model)
    return target ? [model, ...namesOfTarget(target)] : [model]
  }
}

const namesOfTarget = ({ name, model, provider }: Target): readonly string[] => [
  name,
  model,
  `${provider}/${model}`,
]

const scopesOf = (caller: Caller): KeyIdentity['scopes'] =>
  caller.kind === 'key' ? caller.scopes : undefined

/** Whether a caller may use a model, by any of its names. */
export const mayUseModel =
  (deps: ModelScopeDeps) =>
  (caller: Caller, model: string): boolean =>
    allowsModel(scopesOf(caller), namesOf(deps)(model))

const outside = (model: string): GatewayError =>
  new GatewayError('FORBIDDEN', `The scopes of this API key do not include the model “${model}”.`)

/** Refuses a model outside the scopes of the caller's key. @throws GatewayError FORBIDDEN */
export const assertModelInScope = (deps: ModelScopeDeps) => {
  const mayUse = mayUseModel(deps)
  return ({ caller, model }: Pick<Call, 'caller' | 'model'>): void => {
    if (!mayUse(caller, model)) throw outside(model)
  }
}

/** Refuses calls of models outside the scopes of their key, before a stored answer is used. */
export const modelScope = (deps: ModelScopeDeps): Policy<Call, Reply> => {
  const assertInScope = assertModelInScope(deps)
  return async function modelScope(call, next) {
    assertInScope(call)
    return await next(call)
  }
}

/** The targets that a name in scope stands for: the model itself, or those that the operator lists for the alias. */
const requested = ({ targetOf, targetsOfAlias }: ModelScopeDeps, model: string): ReadonlySet<string> => {
  const targets = targetsOfAlias(model) ?? [targetOf(model)]
  return new Set(targets.flatMap(target => (target ? [target.name] : [])))
}

/**
 * Leaves the fallbacks out that are outside the scopes of the call's key. An alias in scope brings the targets that are
 * listed for it, and not their fallbacks. Rejects with FORBIDDEN where nothing is left.
 */
export const fallbacksInScope = (deps: ModelScopeDeps): Policy<Call, Reply> =>
  async function fallbacksInScope(call, next) {
    const scopes = scopesOf(call.caller)
    if (scopes?.models === undefined) return await next(call)
    const names = requested(deps, call.model)
    const plan = call.plan.filter(
      target => names.has(target.name) || allowsModel(scopes, namesOfTarget(target)),
    )
    if (plan.length === 0) throw outside(call.model)
    return await next({ ...call, plan })
  }
