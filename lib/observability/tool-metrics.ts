import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { CIRCUIT_VALUE, type CircuitName } from './circuit-value.ts'

const MS_PER_SECOND = 1000
/** Buckets from cached results to the longest time limit. */
const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Metrics of tools. Their names and those of their services are the operator's; arguments are in none. */
export class ToolMetrics {
  readonly #runs: Counter<'tool' | 'outcome'>
  readonly #seconds: Histogram<'tool'>
  readonly #circuits: Gauge<'service'>

  constructor(registry: Registry) {
    const registers = [registry]
    this.#runs = new Counter({
      name: 'parley_tool_runs_total',
      help: 'Runs of tools: hit, miss and stale have a result, all other outcomes say why there is none.',
      labelNames: ['tool', 'outcome'],
      registers,
    })
    this.#seconds = new Histogram({
      name: 'parley_tool_run_seconds',
      help: 'Duration of a run of a tool, cached results included.',
      labelNames: ['tool'],
      buckets: SECONDS,
      registers,
    })
    this.#circuits = new Gauge({
      name: 'parley_tool_circuit_state',
      help: '0 closed, 1 half-open, 2 open.',
      labelNames: ['service'],
      registers,
    })
  }

  runEnded(tool: string, outcome: string, tookMs: number): void {
    this.#runs.inc({ tool, outcome })
    this.#seconds.observe({ tool }, tookMs / MS_PER_SECOND)
  }

  circuitChanged(service: string, state: CircuitName): void {
    this.#circuits.set({ service }, CIRCUIT_VALUE[state])
  }
}
