import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { Circuit, type CircuitReport, type CircuitState } from '../../resilience/breaker/circuit.ts'
import { consecutive } from '../../resilience/breaker/trip-condition.ts'
import type { ServiceClient } from '../../tools/service-fetch.ts'
import { type Action, PLACES, type Place } from '../types.ts'
import { ExternalJudge } from './external-judge.ts'
import { type LlamaGuardSettings, llamaGuard } from './llama-guard.ts'
import { type OpenAiModerationSettings, openAiModeration } from './openai-moderation.ts'
import { type PresidioSettings, presidio } from './presidio.ts'
import { JudgeClient } from './service-client.ts'
import { StoredFindings } from './stored-findings.ts'
import type { FailMode, Judge, JudgeReport, JudgeService } from './types.ts'
import { type WebhookJudgeSettings, webhookJudge } from './webhook.ts'

type CommonSettings = Readonly<{
  /** Unique; its kind when absent. */
  name?: string | undefined
  /** The places whose texts it gets; all but system prompts, definitions of tools and reasoning when absent. */
  places?: readonly Place[] | undefined
  /** `open` when absent. */
  failMode?: FailMode | undefined
  /** `flag` when absent. */
  action?: Action | undefined
  /** How long one use may take; 800 when absent. */
  timeoutMs?: number | undefined
  /** How long verdicts are kept; 600 when absent, 0: not at all. */
  cacheSeconds?: number | undefined
  /** Requests in progress at once; 16 when absent. */
  concurrency?: number | undefined
}>

type Kinds = Readonly<{
  'openai-moderation': OpenAiModerationSettings
  'llama-guard': LlamaGuardSettings
  presidio: PresidioSettings
  webhook: WebhookJudgeSettings
}>

export type JudgeSettings = {
  [Kind in keyof Kinds]: Readonly<{ type: Kind }> & CommonSettings & Kinds[Kind]
}[keyof Kinds]

export type JudgeDeps = Readonly<{
  /** Follows no redirect of a POST. The operator's services may be in a private network. */
  client: Pick<ServiceClient, 'fetch'>
  clock: Clock
  /** From 0 to below 1. */
  random: () => number
  newId: () => string
  onReport: (report: JudgeReport) => void
  onCircuit: (judge: string, state: CircuitState) => void
}>

const TIMEOUT_MS = 800
const CACHE_SECONDS = 600
const CONCURRENCY = 16
const FAILURES = 5
const OPEN_MS = 30_000
/** Counted up when code changes what is found. */
const CODE_VERSION = 1
const UNUSUAL_PLACES: readonly Place[] = ['system', 'tool-definition', 'reasoning']
const USUAL_PLACES = PLACES.filter(place => !UNUSUAL_PLACES.includes(place))

/** One line for each kind of service. */
const serviceOf = (settings: JudgeSettings, { clock, newId }: JudgeDeps): JudgeService => {
  switch (settings.type) {
    case 'openai-moderation':
      return openAiModeration(settings)
    case 'llama-guard':
      return llamaGuard(settings)
    case 'presidio':
      return presidio(settings)
    case 'webhook':
      return webhookJudge(settings, { now: () => clock.now(), newId })
  }
}

const SECRETS: ReadonlySet<string> = new Set(['apiKey', 'secret'])

const versionOf = (settings: JudgeSettings): string =>
  hash(
    'sha256',
    JSON.stringify([CODE_VERSION, settings], (name, value: unknown) =>
      SECRETS.has(name) ? undefined : value,
    ),
    'base64url',
  ).slice(0, 22)

type NamedCircuit = Readonly<{ name: string; circuit: Circuit }>

/** What survives a reload of the configuration: verdicts in memory, and the circuits. */
export class JudgeRuntime {
  readonly #deps: JudgeDeps
  readonly #stored: StoredFindings
  #circuits: ReadonlyMap<string, NamedCircuit> = new Map()

  constructor(deps: JudgeDeps) {
    this.#deps = deps
    this.#stored = new StoredFindings(randomBytes(32), () => deps.clock.now())
  }

  /** The judges of a configuration, in its order. A circuit is kept for a judge whose settings are the same. */
  judgesOf(all: readonly JudgeSettings[]): readonly Judge[] {
    const circuits = new Map<string, NamedCircuit>()
    const judges = all.map(settings => {
      const { type, name = type } = settings
      const version = versionOf(settings)
      const known = this.#circuits.get(version) ?? { name, circuit: this.#newCircuit(name) }
      circuits.set(version, known)
      return this.#judgeOf(settings, name, version, known.circuit)
    })
    this.#circuits = circuits
    return judges
  }

  /** The state of each judge's circuit, by its name. */
  circuits(): ReadonlyMap<string, CircuitReport> {
    return new Map([...this.#circuits.values()].map(({ name, circuit }) => [name, circuit.describe()]))
  }

  #judgeOf(settings: JudgeSettings, name: string, version: string, circuit: Circuit): Judge {
    const { client, clock, onReport } = this.#deps
    const { places = USUAL_PLACES, failMode = 'open', action = 'flag' } = settings
    const { timeoutMs = TIMEOUT_MS, cacheSeconds = CACHE_SECONDS, concurrency = CONCURRENCY } = settings
    const service = serviceOf(settings, this.#deps)
    const judgeClient = new JudgeClient(service, { client, circuit, clock, concurrency })
    return new ExternalJudge(
      { name, places, failMode, action, timeoutMs, lifeMs: cacheSeconds * 1_000, version },
      { service, client: judgeClient, stored: this.#stored, clock, onReport },
    )
  }

  #newCircuit(name: string): Circuit {
    const { clock, random, onCircuit } = this.#deps
    return new Circuit({
      tripCondition: consecutive(FAILURES),
      openMs: OPEN_MS,
      longestOpenMs: OPEN_MS,
      clock,
      random,
      onChange: state => onCircuit(name, state),
    })
  }
}

/** The judges of a configuration that is read once. For one that is reloaded, keep a `JudgeRuntime`. */
export const judgesOf = (settings: readonly JudgeSettings[], deps: JudgeDeps): readonly Judge[] =>
  new JudgeRuntime(deps).judgesOf(settings)
