import { Counter, Gauge, type Registry } from 'prom-client'
import { type BatchFacts, oldestSeconds } from './batch-health.ts'

/** What happened to items in this process, and how full the queue of all of them is. */
export class BatchMetrics {
  readonly #ended: Counter<'outcome'>

  constructor(registry: Registry, seen: () => BatchFacts) {
    const registers = [registry]
    this.#ended = new Counter({
      name: 'parley_batch_item_runs_total',
      help: 'Runs of batch items that ended here; again where the item waits for another one.',
      labelNames: ['outcome'],
      registers,
    })
    new Gauge({
      name: 'parley_batch_items_waiting',
      help: 'Items that wait, by priority, in all gateways together.',
      labelNames: ['priority'],
      registers,
      collect() {
        for (const [priority, count] of Object.entries(seen().depth?.queued ?? {}))
          this.set({ priority }, count)
      },
    })
    const gauge = (name: string, help: string, read: (facts: BatchFacts) => number) =>
      new Gauge({
        name: `parley_batch_${name}`,
        help,
        registers,
        collect() {
          this.set(read(seen()))
        },
      })
    gauge('items_running', 'Items under way, in all gateways together.', ({ depth }) => depth?.running ?? 0)
    gauge('items_failed', 'Failed items of the jobs that are kept.', ({ depth }) => depth?.failed ?? 0)
    gauge('items_running_here', 'Items under way in this process.', ({ runningHere }) => runningHere)
    gauge(
      'workers',
      'Processes that run items, of all gateways together.',
      ({ depth }) => depth?.workers ?? 0,
    )
    gauge(
      'oldest_waiting_seconds',
      'For how long the oldest item that may run has waited.',
      facts => oldestSeconds(facts) ?? 0,
    )
    gauge('records_up', '1 where the records answer.', ({ failure }) => (failure === undefined ? 1 : 0))
  }

  runEnded(outcome: 'succeeded' | 'failed' | 'again'): void {
    this.#ended.inc({ outcome })
  }
}
