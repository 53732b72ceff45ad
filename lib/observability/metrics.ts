import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type ErrorCode, GatewayError } from '../errors.ts'
import type { AttemptListener } from '../llm/ask.ts'
import { isRepeated, type Target, type Usage } from '../llm/types.ts'
import { turn } from '../loop-turns.ts'
import { usdOf } from '../money.ts'
import { type Outcome, type RequestContext, upstreamMs } from '../request-context.ts'
import type { BatchFacts } from './batch-health.ts'
import { BatchMetrics } from './batch-metrics.ts'
import { type BudgetFigures, BudgetMetrics } from './budget-metrics.ts'
import { type CacheFigures, cacheMetrics } from './cache-metrics.ts'
import { CIRCUIT_VALUE, type CircuitName } from './circuit-value.ts'
import { GuardrailMetrics } from './guardrail-metrics.ts'
import { RedisMetrics } from './redis-metrics.ts'
import { ToolMetrics } from './tool-metrics.ts'

const MS_PER_SECOND = 1000
/** Seconds: from cached answers to long ones. */
const ANSWER_SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
/** Seconds of the gateway's own: from tens of microseconds to far too slow. */
const OVERHEAD_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25]

export type MetricsDeps = Readonly<{
  /** Whether a target is in the catalog. All other names share one label value: clients choose them freely. */
  isKnown: (target: Target) => boolean
  activeRequests: () => number
  cache: CacheFigures
}>

/**
 * The Prometheus metrics. Units are base units, label values come from small fixed sets, and never from a request's
 * content, keys, users or addresses.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #isKnown: MetricsDeps['isKnown']

  readonly #requests = this.#counter('requests_total', 'Finished requests.', [
    'route',
    'method',
    'status',
    'outcome',
  ])
  readonly #duration = this.#histogram(
    'request_duration_seconds',
    'Request duration, from arrival to the last byte.',
    ['route'],
    ANSWER_SECONDS,
  )
  readonly #firstContent = this.#histogram(
    'time_to_first_content_seconds',
    'Time from arrival to the first content of an answer.',
    ['provider', 'model'],
    ANSWER_SECONDS,
  )
  readonly #overhead = this.#histogram(
    'overhead_seconds',
    'Gateway overhead: duration minus upstream time.',
    ['route'],
    OVERHEAD_SECONDS,
  )
  readonly #tokens = this.#counter(
    'tokens_total',
    'Tokens of answers, without those served from the cache.',
    ['provider', 'model', 'direction'],
  )
  readonly #cost = this.#counter(
    'cost_usd_total',
    'Cost of answers in US dollars, where the price is known.',
    ['provider', 'model'],
  )
  readonly #attempts = this.#counter(
    'attempts_total',
    'Attempts at providers; code is OK or the error code.',
    ['provider', 'code'],
  )
  readonly #fallbacks = this.#counter('fallbacks_total', 'Answers by a fallback model.', [
    'provider',
    'model',
  ])
  readonly #hedges = this.#counter(
    'hedges_total',
    'Hedged attempts; result is won where the second attempt answered.',
    ['result'],
  )
  readonly #cache = this.#counter('cache_results_total', 'Cache results of chats.', ['result'])
  readonly #limits = this.#counter('limit_decisions_total', 'Rate-limit decisions.', ['surface', 'decision'])
  readonly #ignoredEvents = this.#counter(
    'ignored_upstream_events_total',
    'Upstream stream events outside the protocol, without content, that were ignored.',
    [],
  )
  readonly #circuits = this.#gauge('circuit_state', '0 closed, 1 half-open, 2 open.', ['provider', 'model'])

  readonly #reloads = this.#counter(
    'config_reloads_total',
    'Reloads of a changed configuration file, by result.',
    ['result'],
  )
  readonly #lastReload = this.#gauge(
    'config_last_reload_success',
    '1 if the last reload was applied, else 0.',
    [],
  )

  constructor({ isKnown, activeRequests, cache }: MetricsDeps) {
    this.#isKnown = isKnown
    cacheMetrics(this.#registry, cache)
    collectDefaultMetrics({ register: this.#registry })
    new Gauge({
      name: 'parley_open_requests',
      help: 'Requests and streams in progress.',
      registers: [this.#registry],
      collect() {
        this.set(activeRequests())
      },
    })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics in Prometheus' text format. */
  async text(): Promise<string> {
    const texts: string[] = []
    for (const { name } of this.#registry.getMetricsAsArray()) {
      await turn()
      texts.push(await this.#registry.getSingleMetricAsString(name))
    }
    return `${texts.join('\n\n')}\n`
  }

  readonly attempts: AttemptListener = {
    succeeded: provider => this.#attempts.inc({ provider, code: 'OK' }),
    failed: (provider, error) => this.#attempts.inc({ provider, code: codeOf(error) }),
  }

  configRead(result: 'success' | 'failure', isReload: boolean): void {
    if (isReload) this.#reloads.inc({ result })
    this.#lastReload.set(result === 'success' ? 1 : 0)
  }

  circuitChanged(target: Target, state: CircuitName): void {
    this.#circuits.set(this.#labelsOf(target), CIRCUIT_VALUE[state])
  }

  /** Metrics of batches, where they are switched on. To be created once. */
  ofBatch(facts: () => BatchFacts): BatchMetrics {
    return new BatchMetrics(this.#registry, facts)
  }

  /** Metrics of budgets. To be created once. */
  ofBudgets(figures: () => BudgetFigures): BudgetMetrics {
    return new BudgetMetrics(this.#registry, figures)
  }

  /** Metrics of guardrails. To be created once. */
  ofGuardrails(): GuardrailMetrics {
    return new GuardrailMetrics(this.#registry)
  }

  /** Metrics of tools. To be created once. */
  ofTools(): ToolMetrics {
    return new ToolMetrics(this.#registry)
  }

  /** Metrics of a shared Redis, where there is one. To be created once. */
  ofRedis(gatewayCount: () => number): RedisMetrics {
    return new RedisMetrics(this.#registry, gatewayCount)
  }

  /** Records a finished request. */
  requestEnded(
    context: RequestContext,
    { method, status, outcome, endedAt }: Outcome,
    usage: Usage | undefined,
  ): void {
    const { route, surface, journal, startedAt } = context
    this.#requests.inc({ route, method, status, outcome })
    this.#duration.observe({ route }, (endedAt - startedAt) / MS_PER_SECOND)
    if (journal.limit) this.#limits.inc({ surface, decision: status === 429 ? 'refused' : 'allowed' })
    const { head, firstContentAt, hedge } = journal
    if (hedge) this.#hedges.inc({ result: hedge.result })
    if (journal.ignoredEvents) this.#ignoredEvents.inc(journal.ignoredEvents)
    if (!head) return
    const labels = this.#labelsOf(head.target)
    this.#cache.inc({ result: head.cache })
    if (head.fallback) this.#fallbacks.inc(labels)
    if (firstContentAt !== undefined)
      this.#firstContent.observe(labels, (firstContentAt - startedAt) / MS_PER_SECOND)
    this.#overhead.observe(
      { route },
      Math.max(0, endedAt - startedAt - upstreamMs(journal, endedAt) - (journal.waits?.tool ?? 0)) /
        MS_PER_SECOND,
    )
    if (!isRepeated(head)) this.#used(labels, usage)
  }

  /** Records the cost of a background call. */
  workEnded({ journal: { head, ignoredEvents } }: RequestContext, usage: Usage | undefined): void {
    if (ignoredEvents) this.#ignoredEvents.inc(ignoredEvents)
    if (head && !isRepeated(head)) this.#used(this.#labelsOf(head.target), usage)
  }

  #used(labels: TargetLabels, usage: Usage | undefined): void {
    if (!usage) return
    this.#tokens.inc({ ...labels, direction: 'input' }, amount(usage.inputTokens))
    this.#tokens.inc({ ...labels, direction: 'output' }, amount(usage.outputTokens))
    if (usage.costPicoUsd !== undefined) this.#cost.inc(labels, amount(usdOf(usage.costPicoUsd)))
  }

  #labelsOf(target: Target): TargetLabels {
    return { provider: target.provider, model: this.#isKnown(target) ? target.name : 'other' }
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `parley_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name: `parley_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ): Histogram<Label> {
    return new Histogram({ name: `parley_${name}`, help, labelNames, buckets, registers: [this.#registry] })
  }
}

/** A counter throws at an invalid amount, and the metrics after it would be skipped. */
const amount = (value: number): number => (Number.isFinite(value) && value > 0 ? value : 0)

type TargetLabels = { provider: string; model: string }

const codeOf = (error: unknown): ErrorCode => (error instanceof GatewayError ? error.code : 'INTERNAL_ERROR')
