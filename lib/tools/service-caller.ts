import type { Clock } from '../clock.ts'
import type { Circuit, Permit } from '../resilience/breaker/circuit.ts'
import type { RateGate } from './rate-gate.ts'
import { type ServiceClient, untilAborted } from './service-fetch.ts'
import { type FailureReason, type Tool, ToolFailure, type ToolService } from './types.ts'

export type ServiceCallerDeps = Readonly<{
  client: Pick<ServiceClient, 'fetch'>
  gate: RateGate
  /** The circuit of a service, by its name. */
  circuitOf: (service: string) => Circuit
  clock: Clock
  /** How long a whole run may take, all its services together. */
  timeoutMs: () => number
}>

type ServiceResult = Readonly<{ service: ToolService<unknown>; data: unknown }>

const MOST_BYTES = 1_048_576
/** The cooldown of a busy service that does not say how long it lasts. */
const COOLDOWN_MS = 10_000
/** Failures that are no evidence against a service. */
const INNOCENT: ReadonlySet<FailureReason> = new Set(['arguments', 'rejected', 'busy', 'rate-limited'])
/** Failures with which a service has answered: its circuit counts them as successes. */
const ANSWERED: ReadonlySet<FailureReason> = new Set(['arguments', 'rejected'])

const timedOut = (): ToolFailure => new ToolFailure('timeout', 'The service took too long to answer.')

const notSetUp = (services: Tool['services']): ToolFailure => {
  const variables = services.flatMap(({ missing }) => missing ?? [])
  const hint = variables.length > 0 ? ` (${variables.join(' or ')})` : ''
  return new ToolFailure('unavailable', `No service is set up for this tool${hint}.`)
}

/**
 * Asks the services of a tool one after the other until one answers: none that has been failing, each at its rate, and
 * all within the time limit, of which a service with others after it gets half.
 */
export class ServiceCaller {
  readonly #deps: ServiceCallerDeps

  constructor(deps: ServiceCallerDeps) {
    this.#deps = deps
  }

  /** Rejects with a ToolFailure, or with the signal's reason. */
  async ask(tool: Tool, input: unknown, signal: AbortSignal): Promise<ServiceResult> {
    const { clock, circuitOf, timeoutMs } = this.#deps
    const services = tool.services.filter(({ missing }) => missing === undefined)
    if (services.length === 0) throw notSetUp(tool.services)
    const deadlineAt = clock.now() + (tool.timeoutMs ?? timeoutMs())
    let failure: ToolFailure | undefined
    for (const [index, service] of services.entries()) {
      const permit = circuitOf(service.name).enter()
      if (typeof permit === 'number') continue
      const leftMs = deadlineAt - clock.now()
      const until = clock.now() + (index < services.length - 1 ? leftMs / 2 : leftMs)
      try {
        return { service, data: await this.#attempt({ tool, service, input, until, signal }, permit) }
      } catch (error) {
        signal.throwIfAborted()
        failure = error instanceof ToolFailure ? error : new ToolFailure('error', 'The tool failed.')
        if (failure.reason === 'arguments' && !service.isPartial) break
      }
    }
    throw failure ?? new ToolFailure('unavailable', 'The service has been failing and is not asked for now.')
  }

  async #attempt({ tool, service, input, until, signal }: Attempt, permit: Permit): Promise<unknown> {
    const { clock, client, gate, circuitOf } = this.#deps
    const controller = new AbortController()
    const limits = { signal: controller.signal, mostBytes: tool.mostBytes ?? MOST_BYTES }
    const onAbort = () => controller.abort(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    const timer = clock.timer(Math.max(0, until - clock.now()), () => controller.abort(timedOut()))
    try {
      const asked = service.ask(input, async request => {
        await gate.pass(service.name, service.rate, until, controller.signal)
        return client.fetch(request, limits)
      })
      const data = await untilAborted(asked, controller.signal)
      permit.succeeded()
      return data
    } catch (error) {
      if (signal.aborted) permit.released()
      else if (!(error instanceof ToolFailure)) permit.failed('error')
      else if (!INNOCENT.has(error.reason)) permit.failed(error.reason)
      else if (ANSWERED.has(error.reason)) permit.succeeded()
      else permit.released()
      if (error instanceof ToolFailure && error.reason === 'rate-limited')
        circuitOf(service.name).openUntil(clock.now() + (error.retryAfterMs ?? COOLDOWN_MS), error.reason)
      throw error
    } finally {
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
    }
  }
}

type Attempt = Readonly<{
  tool: Tool
  service: ToolService<unknown>
  input: unknown
  /** Clock time, milliseconds. */
  until: number
  signal: AbortSignal
}>
