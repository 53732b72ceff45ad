import type { Clock } from '../clock.ts'
import { isObject } from '../raw-json.ts'
import { check } from '../validation/zod.ts'
import type { StoredResult, StoredResults } from './results.ts'
import type { ServiceCaller } from './service-caller.ts'
import { SharedRuns } from './shared-runs.ts'
import { type ArgumentsSchema, type FailureReason, type Tool, ToolFailure, type ToolRun } from './types.ts'

/** One run, for the log and the metrics: never with its arguments or its result. */
export type RunReport = Readonly<{
  tool: string
  /** Absent where none was asked. */
  service?: string | undefined
  outcome: 'hit' | 'miss' | 'stale' | FailureReason | 'aborted'
  tookMs: number
  requestId: string
}>

export type ToolRunnerDeps = Readonly<{
  services: ServiceCaller
  results: StoredResults
  clock: Clock
  onRun: (report: RunReport) => void
}>

/** The request for which a tool runs. */
export type RunContext = Readonly<{ signal: AbortSignal; requestId: string }>

const failed = ({ reason, message }: ToolFailure): ToolRun => ({ ok: false, reason, message })

const takesNull = (schema: unknown): boolean => {
  if (!isObject(schema)) return false
  const { type, nullable } = schema
  return type === undefined || nullable === true || [type].flat().includes('null')
}

/** Arguments without those that are null where no null can stand: they are absent. */
const withoutNulls = (input: unknown, { properties }: ArgumentsSchema): unknown => {
  if (!isObject(input)) return input
  const schemas = isObject(properties) ? properties : {}
  return Object.fromEntries(
    Object.entries(input).filter(
      ([name, value]) => value !== null || (Object.hasOwn(schemas, name) && takesNull(schemas[name])),
    ),
  )
}

/**
 * Runs tools: with valid arguments alone, from the store where a result is fresh enough, and once for concurrent runs
 * with the same arguments. A failure is a result too; rejects only with the reason of an aborted signal.
 */
export class ToolRunner {
  readonly #deps: ToolRunnerDeps
  readonly #shared = new SharedRuns<StoredResult>()

  constructor(deps: ToolRunnerDeps) {
    this.#deps = deps
  }

  async run(tool: Tool, input: unknown, { signal, requestId }: RunContext): Promise<ToolRun> {
    const { clock, onRun } = this.#deps
    const startedAt = clock.now()
    const report = (outcome: RunReport['outcome'], service?: string) =>
      onRun({ tool: tool.name, outcome, service, tookMs: clock.now() - startedAt, requestId })
    try {
      const run = await this.#checked(tool, input, signal)
      if (run.ok) report(run.cache, run.result.service)
      else report(run.reason)
      return run
    } catch (error) {
      report('aborted')
      throw error
    }
  }

  async #checked(tool: Tool, input: unknown, signal: AbortSignal): Promise<ToolRun> {
    const { data, faults } = check(tool.schema, withoutNulls(input, tool.parameters))
    if (!faults) return this.#run(tool, data, signal)
    const message = faults.map(fault => `${fault.path} ${fault.message}`).join('; ')
    return { ok: false, reason: 'arguments', message: `${message}.`, details: faults }
  }

  async #run(tool: Tool, input: unknown, signal: AbortSignal): Promise<ToolRun> {
    if (tool.lifeMs === 0) return this.#new(tool, () => this.#ask(tool, input, signal), signal)
    const { results, clock } = this.#deps
    const key = await results.keyOf(tool, input)
    const stored = await results.find(key)
    if (stored && clock.now() < stored.storedAt + tool.lifeMs)
      return { ok: true, cache: 'hit', freshUntil: stored.storedAt + tool.lifeMs, result: stored.result }
    const run = await this.#new(tool, () => this.#shareAndKeep(key, tool, input, signal), signal)
    const isUsable = stored !== undefined && clock.now() < stored.storedAt + tool.lifeMs + tool.staleMs
    if (run.ok || run.reason === 'arguments' || !isUsable) return run
    return { ok: true, cache: 'stale', freshUntil: clock.now(), result: stored.result }
  }

  async #new(tool: Tool, ask: () => Promise<StoredResult>, signal: AbortSignal): Promise<ToolRun> {
    try {
      const { storedAt, result } = await ask()
      return { ok: true, cache: 'miss', freshUntil: storedAt + tool.lifeMs, result }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ToolFailure) return failed(error)
      return failed(new ToolFailure('error', 'The tool failed.'))
    }
  }

  #shareAndKeep(key: string, tool: Tool, input: unknown, signal: AbortSignal): Promise<StoredResult> {
    return this.#shared.join(key, signal, async runSignal => {
      const found = await this.#ask(tool, input, runSignal)
      await this.#deps.results.keep(key, found, tool)
      return found
    })
  }

  async #ask(tool: Tool, input: unknown, signal: AbortSignal): Promise<StoredResult> {
    const { services, clock } = this.#deps
    const { service, data } = await services.ask(tool, input, signal)
    const storedAt = clock.now()
    const retrievedAt = new Date(storedAt).toISOString()
    const { name, attribution } = service
    const result = {
      tool: tool.name,
      service: name,
      attribution,
      retrievedAt,
      untrusted: true,
      data,
    } as const
    return { storedAt, result }
  }
}
