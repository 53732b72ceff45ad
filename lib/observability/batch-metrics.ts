import { Counter, Gauge, type Registry } from 'prom-client'
import { type BatchFacts, oldestSeconds } from './batch-health.ts'

/** Metrics of this process's item runs, and of the whole queue. */
export class BatchMetrics {
  readonly #ended: Counter<'outcome'>

  constructor(registry: Registry, facts: () => BatchFacts) {
    const registers = [registry]
    this.#ended = new Counter({
      name: 'parley_batch_item_runs_total',
      help: 'Finished runs of batch items in this process; result is again where the item waits for another run.',
      labelNames: ['outcome'],
      registers,
    })
    new Gauge({
      name: 'parley_batch_items_waiting',
      help: 'Waiting items by priority, over all gateways.',
      labelNames: ['priority'],
      registers,
      collect() {
        for (const [priority, count] of Object.entries(facts().depth?.queued ?? {}))
          this.set({ priority }, count)
      },
    })
    const gauge = (name: string, help: string, read: (facts: BatchFacts) => number) =>
      new Gauge({
        name: `parley_batch_${name}`,
        help,
        registers,
        collect() {
          this.set(read(facts()))
        },
      })
    gauge('items_running', 'Running items, over all gateways.', ({ depth }) => depth?.running ?? 0)
    gauge('items_failed', 'Failed items of stored jobs.', ({ depth }) => depth?.failed ?? 0)
    gauge('items_running_here', 'Running items in this process.', ({ runningHere }) => runningHere)
    gauge('workers', 'Processes that run items, over all gateways.', ({ depth }) => depth?.workers ?? 0)
    gauge(
      'oldest_waiting_seconds',
      'Waiting time of the oldest item that is ready to run.',
      facts => oldestSeconds(facts) ?? 0,
    )
    gauge('records_up', '1 if the database answers, else 0.', ({ failure }) =>
      failure === undefined ? 1 : 0,
    )
  }

  runEnded(outcome: 'succeeded' | 'failed' | 'again'): void {
    this.#ended.inc({ outcome })
  }
}
