import type { Clock } from '../clock.ts'
import { found, type GuardrailFinding, type RequestContext } from '../request-context.ts'
import type { ModelNames } from './allowed-models.ts'
import type { Duplicates } from './duplicates.ts'
import { warningOf } from './findings.ts'
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
  /** Called with each kind of finding, and how many of it are new. */
  onFinding: (finding: GuardrailFinding, count: number, request: GuardedRequest) => void
  clock: Clock
}>

/** Kinds of findings that one request reports: a text with thousands of matches has few kinds of them. */
const MOST_FINDINGS = 50

/** Decides about verdicts on one request, and records them. Those of one turn are reported together. */
export class Decisions {
  readonly #request: GuardedRequest
  readonly #deps: Pick<GuardrailDeps, 'onFinding'>
  readonly #profile: Profile
  readonly #findings = new Map<string, GuardrailFinding>()
  /** How many of each kind have been found since the last report. */
  readonly #unreported = new Map<GuardrailFinding, number>()

  constructor(request: GuardedRequest, profile: Profile, deps: Pick<GuardrailDeps, 'onFinding'>) {
    this.#request = request
    this.#profile = profile
    this.#deps = deps
  }

  /** What is done about a verdict; undefined where nothing is, and always in shadow mode. */
  on(verdict: Verdict, place: Place, direction: Direction): Action | undefined {
    const action = this.#profile[direction].actionOn(verdict)
    if (action === undefined) return undefined
    this.#count(verdict, place, action)
    return this.#profile.settings.isShadow ? undefined : action
  }

  /** One sentence for clients for each kind of finding so far, but those that are only counted. */
  get warnings(): readonly string[] {
    return [...this.#findings.values()].filter(({ isShadow }) => !isShadow).map(warningOf)
  }

  #count({ rail, rule, kind }: Verdict, place: Place, action: Action): void {
    const key = `${rail} ${rule} ${place} ${action}`
    const known = this.#findings.get(key)
    if (known) known.count += 1
    else if (this.#findings.size >= MOST_FINDINGS) return
    const { isShadow } = this.#profile.settings
    const finding = known ?? { rail, rule, kind, place, action, ...(isShadow && { isShadow }), count: 1 }
    if (!known) {
      this.#findings.set(key, finding)
      found(this.#request.journal, finding)
    }
    if (this.#unreported.size === 0) queueMicrotask(() => this.#report())
    this.#unreported.set(finding, (this.#unreported.get(finding) ?? 0) + 1)
  }

  #report(): void {
    for (const [finding, count] of this.#unreported) this.#deps.onFinding(finding, count, this.#request)
    this.#unreported.clear()
  }
}
