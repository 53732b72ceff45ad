import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { CIRCUIT_VALUE, type CircuitName } from './circuit-value.ts'

const MS_PER_SECOND = 1000
/** Seconds: from a local Redis' usual time to beyond the deadline. */
const SECONDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25]

/** Metrics of the shared Redis. */
export class RedisMetrics {
  readonly #operations: Counter<'operation' | 'result'>
  readonly #duration: Histogram<'operation'>
  readonly #circuit: Gauge

  constructor(registry: Registry, gatewayCount: () => number) {
    const registers = [registry]
    this.#operations = new Counter({
      name: 'parley_redis_operations_total',
      help: 'Redis operations; result is ok, failed, late or spared (not sent, because Redis has been failing).',
      labelNames: ['operation', 'result'],
      registers,
    })
    this.#duration = new Histogram({
      name: 'parley_redis_operation_duration_seconds',
      help: 'Duration of Redis operations that were sent.',
      labelNames: ['operation'],
      buckets: SECONDS,
      registers,
    })
    this.#circuit = new Gauge({
      name: 'parley_redis_circuit_state',
      help: '0 closed, 1 half-open, 2 open.',
      registers,
    })
    new Gauge({
      name: 'parley_gateways',
      help: 'Gateways that share this Redis, when last checked.',
      registers,
      collect() {
        this.set(gatewayCount())
      },
    })
  }

  operationEnded(operation: string, result: string, tookMs: number): void {
    this.#operations.inc({ operation, result })
    if (result !== 'spared') this.#duration.observe({ operation }, tookMs / MS_PER_SECOND)
  }

  circuitChanged(state: CircuitName): void {
    this.#circuit.set(CIRCUIT_VALUE[state])
  }
}
