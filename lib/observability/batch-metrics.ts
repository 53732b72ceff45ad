import { Counter, Gauge, type Registry } from 'prom-client'
import type { BatchFacts } from './batch-health.ts'

const MS_PER_SECOND = 1000

/** What happened to items in this process, and how full the queue of all of them is. */
export class BatchMetrics {
  readonly #ended: Counter<'outcome'>

  /** @param now clock time, milliseconds */
  constructor(registry: Registry, seen: () => BatchFacts, now: () => number) {
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
    gauge('items_running_here', 'Items under way in this process.', ({ runningHere }) => runningHere ?? 0)
    gauge('worker', '1 where this process runs items.', ({ runningHere }) =>
      runningHere === undefined ? 0 : 1,
    )
    gauge('oldest_waiting_seconds', 'For how long the oldest item that may run has waited.', ({ depth }) =>
      depth?.oldestAt === undefined ? 0 : Math.max(0, (now() - depth.oldestAt) / MS_PER_SECOND),
    )
    gauge('records_up', '1 where the records answer.', ({ failure }) => (failure === undefined ? 1 : 0))
  }

  runEnded(outcome: 'succeeded' | 'failed' | 'again'): void {
    this.#ended.inc({ outcome })
  }
}
