import type { Clock } from '../clock.ts'
import { found, type GuardrailFinding, type RequestContext, withFinding } from '../request-context.ts'
import type { ModelNames } from './allowed-models.ts'
import type { Duplicates } from './duplicates.ts'
import { warningsOf } from './findings.ts'
import type { VerdictMemory } from './inspect.ts'
import type { Judge } from './judges/types.ts'
import type { Direction, Profile } from './profile.ts'
import type { Action, Place, Verdict } from './types.ts'

/** A request whose content is guarded: a call of a model, or of a tool, which has none. */
export type GuardedRequest = RequestContext &
  Readonly<{ model?: string | undefined; rules?: string | undefined }>

/** What the policies of guardrails need. */
export type GuardrailDeps = Readonly<{
  /** How a request is guarded; undefined where it is not. */
  profileFor: (request: GuardedRequest) => Profile | undefined
  /** The profile of a call that was looked up before, by its version. */
  profileOf: (version: string) => Profile | undefined
  memory: VerdictMemory
  /** The judge of that name. */
  judgeOf: (name: string) => Judge | undefined
  /** The targets of model names, for lists of allowed models. */
  models: ModelNames
  duplicatesOf: (profile: Profile) => Duplicates | undefined
  /** Called with each finding. */
  onFinding: (finding: GuardrailFinding, request: GuardedRequest) => void
  clock: Clock
}>

/** Decides about verdicts on one request, and records them. */
export class Decisions {
  readonly #request: GuardedRequest
  readonly #deps: Pick<GuardrailDeps, 'onFinding'>
  readonly #profile: Profile
  #findings: readonly GuardrailFinding[] = []

  constructor(request: GuardedRequest, profile: Profile, deps: Pick<GuardrailDeps, 'onFinding'>) {
    this.#request = request
    this.#profile = profile
    this.#deps = deps
  }

  /** What is done about a verdict; undefined where nothing is, and always in shadow mode. */
  on(verdict: Verdict, place: Place, direction: Direction): Action | undefined {
    const { settings } = this.#profile
    const action = this.#profile[direction].actionOn(verdict)
    if (action === undefined) return undefined
    const { rail, rule, kind } = verdict
    const { isShadow } = settings
    const finding = { rail, rule, kind, place, action, ...(isShadow && { isShadow }), count: 1 }
    this.#findings = withFinding(this.#findings, finding)
    found(this.#request.journal, finding)
    this.#deps.onFinding(finding, this.#request)
    return settings.isShadow ? undefined : action
  }

  /** One sentence for clients for each kind of finding so far. */
  get warnings(): readonly string[] {
    return warningsOf(this.#findings)
  }
}
