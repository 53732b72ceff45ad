import { Counter, Gauge, type Registry } from 'prom-client'

/** Sums over all budgets of a kind (`all`, `owner`, `key`) in the current `day` or `month`, in US dollars. */
export type BudgetFigures = readonly Readonly<{
  scope: string
  period: 'day' | 'month'
  spentUsd: number
  reservedUsd: number
}>[]

/** Metrics of budgets. Labels are kinds of scopes: names of keys and owners are in none. */
export class BudgetMetrics {
  readonly #notices: Counter<'scope' | 'period'>
  readonly #unexpected: Counter<'reason'>

  constructor(registry: Registry, figures: () => BudgetFigures) {
    const registers = [registry]
    const gauge = (name: string, help: string, value: 'spentUsd' | 'reservedUsd') =>
      new Gauge({
        name: `parley_budget_${name}`,
        help,
        labelNames: ['scope', 'period'],
        registers,
        collect() {
          this.reset()
          for (const one of figures()) this.set({ scope: one.scope, period: one.period }, one[value])
        },
      })
    gauge('spent_usd', 'Spent in the current period, over all budgets of a kind.', 'spentUsd')
    gauge('reserved_usd', 'Reserved by calls in progress, over all budgets of a kind.', 'reservedUsd')
    this.#notices = new Counter({
      name: 'parley_budget_notices_total',
      help: 'Budgets of which 80 % were spent.',
      labelNames: ['scope', 'period'],
      registers,
    })
    this.#unexpected = new Counter({
      name: 'parley_budget_unexpected_costs_total',
      help: 'Attempts that cost more than was reserved, or of which no cost is known.',
      labelNames: ['reason'],
      registers,
    })
  }

  noticed(scope: string, period: 'day' | 'month'): void {
    this.#notices.inc({ scope, period })
  }

  unexpectedCost(reason: 'more' | 'unknown'): void {
    this.#unexpected.inc({ reason })
  }
}
