import type { Clock } from '../../clock.ts'
import { type FailureReason, ToolFailure } from '../../tools/types.ts'
import type { Action, Place, PlacedText } from '../types.ts'
import { type CutText, cut, type Piece, verdictsOf } from './pieces.ts'
import type { JudgeClient, KeyedPiece } from './service-client.ts'
import type { StoredFindings } from './stored-findings.ts'
import type {
  FailMode,
  Finding,
  Judge,
  JudgeReport,
  JudgeResult,
  JudgeService,
  UnavailableReason,
} from './types.ts'

/** Pieces of all texts of one call. More are not sent: the last texts, which are the new ones, come first. */
const MOST_PIECES = 256
const NO_PIECES: CutText = { pieces: [], isCut: false }

const REASONS: Readonly<Record<FailureReason, UnavailableReason>> = {
  arguments: 'error',
  unavailable: 'circuit-open',
  busy: 'busy',
  timeout: 'timeout',
  unreachable: 'network',
  refused: 'refused',
  'rate-limited': 'busy',
  rejected: 'error',
  error: 'error',
  malformed: 'bad-answer',
  'too-large': 'bad-answer',
  redirect: 'bad-answer',
  withheld: 'error',
}

/** Why there are no findings; whatever else is thrown, such as by a fault of a translator, counts as an error. */
const reasonOf = (error: unknown): UnavailableReason =>
  error instanceof ToolFailure ? REASONS[error.reason] : 'error'

export type ExternalJudgeSettings = Readonly<{
  name: string
  places: readonly Place[]
  failMode: FailMode
  action: Action
  /** How long one use may take, all its requests together. */
  timeoutMs: number
  /** How long findings are served again; 0: not at all. */
  lifeMs: number
  version: string
}>

export type ExternalJudgeDeps = Readonly<{
  service: JudgeService
  client: Pick<JudgeClient, 'ask'>
  stored: StoredFindings
  clock: Clock
  onReport: (report: JudgeReport) => void
}>

/** The pieces of texts, with what is known of them. */
type Task = Readonly<{
  pieces: readonly (readonly Piece[])[]
  keys: ReadonlyMap<Piece, string>
  found: Map<string, readonly Finding[]>
  missing: ReadonlyMap<string, Piece>
  isCut: boolean
}>

const groupsOf = (missing: ReadonlyMap<string, Piece>, most: number): readonly (readonly KeyedPiece[])[] => {
  const all = [...missing].map(([key, piece]) => ({ key, piece }))
  return Array.from({ length: Math.ceil(all.length / most) }, (_, at) =>
    all.slice(at * most, (at + 1) * most),
  )
}

/** A judge over a service: findings from memory where they are known, and all else within its time. */
export class ExternalJudge implements Judge {
  readonly #settings: ExternalJudgeSettings
  readonly #deps: ExternalJudgeDeps

  constructor(settings: ExternalJudgeSettings, deps: ExternalJudgeDeps) {
    this.#settings = settings
    this.#deps = deps
  }

  get name(): string {
    return this.#settings.name
  }

  get places(): readonly Place[] {
    return this.#settings.places
  }

  get failMode(): FailMode {
    return this.#settings.failMode
  }

  get action(): Action {
    return this.#settings.action
  }

  get version(): string {
    return this.#settings.version
  }

  async judge(texts: readonly PlacedText[], signal: AbortSignal): Promise<JudgeResult> {
    signal.throwIfAborted()
    const { clock } = this.#deps
    const startedAt = clock.now()
    const task = this.#taskOf(texts)
    const cached = task.keys.size - [...task.keys.values()].filter(key => task.missing.has(key)).length
    const report = (outcome: JudgeReport['outcome']) =>
      this.#deps.onReport({
        judge: this.name,
        outcome,
        pieces: task.keys.size,
        cached,
        tookMs: clock.now() - startedAt,
      })
    try {
      const failed = await this.#ask(task, signal)
      const reason = failed ?? (task.isCut ? 'too-long' : undefined)
      const verdicts = this.#verdictsOf(task)
      report(reason ?? (verdicts.some(({ length }) => length > 0) ? 'found' : 'clean'))
      return reason === undefined
        ? { state: 'complete', verdicts }
        : { state: 'unavailable', reason, verdicts }
    } catch (error) {
      report('aborted')
      throw error
    }
  }

  #taskOf(texts: readonly PlacedText[]): Task {
    const { service, stored } = this.#deps
    const pieces: (readonly Piece[])[] = texts.map(() => [])
    const keys = new Map<Piece, string>()
    const found = new Map<string, readonly Finding[]>()
    let isCut = false
    for (const [index, text] of [...texts.entries()].reverse()) {
      const left = MOST_PIECES - keys.size
      const parts = this.places.includes(text.place) ? cut(text, service.pieces) : NO_PIECES
      const taken = parts.pieces.slice(0, left)
      isCut ||= parts.isCut || taken.length < parts.pieces.length
      pieces[index] = taken
      for (const piece of taken) {
        const key = stored.keyOf(this.version, piece, service.dependsOnPlace)
        keys.set(piece, key)
        const known = stored.find(key)
        if (known) found.set(key, known)
      }
    }
    const missing = new Map(
      pieces.flat().flatMap(piece => {
        const key = keys.get(piece) ?? ''
        return found.has(key) ? [] : [[key, piece] as const]
      }),
    )
    return { pieces, keys, found, missing, isCut }
  }

  /** Adds what is missing to what is found; returns why not all could be. */
  async #ask({ missing, found }: Task, signal: AbortSignal): Promise<UnavailableReason | undefined> {
    if (missing.size === 0) return undefined
    const { client, service, stored, clock } = this.#deps
    const { timeoutMs, lifeMs } = this.#settings
    const controller = new AbortController()
    const onAbort = () => controller.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const timer = clock.timer(timeoutMs, () =>
      controller.abort(new ToolFailure('timeout', 'The service took too long to answer.')),
    )
    try {
      const asked = groupsOf(missing, service.mostPerRequest).map(async group => {
        const findings = await client.ask(group, controller.signal)
        for (const [index, { key }] of group.entries()) {
          found.set(key, findings[index] ?? [])
          stored.store(key, findings[index] ?? [], lifeMs)
        }
      })
      const outcomes = await Promise.allSettled(asked)
      signal.throwIfAborted()
      const failed = outcomes.find(({ status }) => status === 'rejected')
      return failed?.status === 'rejected' ? reasonOf(failed.reason) : undefined
    } finally {
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
    }
  }

  #verdictsOf({ pieces, keys, found }: Task): JudgeResult['verdicts'] {
    return pieces.map(ofText =>
      verdictsOf(
        this.name,
        ofText.map(piece => [piece, found.get(keys.get(piece) ?? '') ?? []]),
      ),
    )
  }
}
