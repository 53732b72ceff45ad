import { randomUUID } from 'node:crypto'
import { BudgetAdmin, type BudgetAdminDeps } from '../budgets/admin.ts'
import { type BudgetNotice, Budgets } from '../budgets/budgets.ts'
import { HoldRecords } from '../budgets/hold-records.ts'
import { writesForAnHour } from '../budgets/hour-writes.ts'
import { LimitRecords } from '../budgets/limit-records.ts'
import { Limits } from '../budgets/limits.ts'
import { runBudgetMaintenance } from '../budgets/maintenance.ts'
import { OutputSizes } from '../budgets/output-sizes.ts'
import { dayOf, isDay } from '../budgets/period.ts'
import { Reconciler } from '../budgets/reconcile.ts'
import type { ReserveDeps, UnexpectedCost } from '../budgets/reserve.ts'
import { reservedNow } from '../budgets/reserved.ts'
import { kindOf } from '../budgets/scope.ts'
import type { Counter, LedgerSum, LedgerSums } from '../budgets/types.ts'
import { postNotice } from '../budgets/webhook.ts'
import { type WorstCaseDeps, WorstCases } from '../budgets/worst-case.ts'
import type { Caller } from '../caller.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { Settings } from '../config/settings.ts'
import { highestTokenPrice } from '../ledger/pricing.ts'
import type { Catalog } from '../llm/catalog.ts'
import { fieldOf } from '../llm/passthrough.ts'
import { callPricesOf } from '../llm/providers/prices/hosted-calls.ts'
import { usdOfNano } from '../money.ts'
import type { BudgetFigures, BudgetMetrics } from '../observability/budget-metrics.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { webhookPost } from '../webhook/post.ts'
import type { Database } from './database.ts'
import type { Keys } from './keys.ts'
import type { PipelineDeps } from './pipelines.ts'
import { mayPassOn, outputLimitsOf } from './providers.ts'

const NOTICE_AT = 0.8
const component = 'budgets'

/** The state of all budgets, which survives a reload of the configuration. */
export type BudgetRuntime = Readonly<{
  budgets: Budgets
  limits: Limits
  admin: BudgetAdmin
  /** What is reserved at present. */
  reserved: (caller: Caller | undefined) => Promise<ReturnType<typeof reservedNow>>
  outputSizes: OutputSizes
  onUnexpectedCost: (cost: UnexpectedCost) => void
}>

export type BudgetWiringDeps = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  database: Database
  keys: Pick<Keys, 'service'>
  /** What the ledger says was spent. */
  ledgerSum: LedgerSum
  ledgerSums: LedgerSums
}>

const periodKind = (period: string): 'day' | 'month' => (isDay(period) ? 'day' : 'month')

const figuresOf = (counters: readonly Counter[]): BudgetFigures => {
  const sums = new Map<string, { spent: number; reserved: number }>()
  for (const { scope, period, spent, reserved } of counters) {
    const name = `${kindOf(scope)} ${periodKind(period)}`
    const sum = sums.get(name) ?? { spent: 0, reserved: 0 }
    sums.set(name, { spent: sum.spent + spent, reserved: sum.reserved + reserved })
  }
  return [...sums].map(([name, { spent, reserved }]) => {
    const [scope = '', period = ''] = name.split(' ')
    const usd = { spentUsd: usdOfNano(spent), reservedUsd: usdOfNano(reserved) }
    return { scope, period: period === 'day' ? 'day' : 'month', ...usd }
  })
}

/** Reports that most of a budget is spent: to the log, the metrics and the webhook. */
const noticing = (
  { env, clock, logger }: BudgetWiringDeps,
  metrics: BudgetMetrics,
): ((notice: BudgetNotice) => void) => {
  const { BUDGET_WEBHOOK_URL: url, BATCH_WEBHOOK_SECRET: secret } = env
  // The address is the operator's own, which may be in their network.
  const post = webhookPost(() => true)
  return notice => {
    const { scope, period, spentNanoUsd, limitNanoUsd } = notice
    const amounts = { spentUsd: usdOfNano(spentNanoUsd), limitUsd: usdOfNano(limitNanoUsd) }
    logger.warn({ component, scope, period, ...amounts }, 'most of a budget is spent')
    metrics.noticed(kindOf(scope), periodKind(period))
    if (url === undefined || secret === undefined) return
    void postNotice(notice, {
      url,
      secret,
      post,
      clock,
      newId: randomUUID,
      onError: err => logger.warn({ err, component }, 'webhook delivery failed'),
    })
  }
}

const reconcilerOf = ({ database, ledgerSums, logger }: BudgetWiringDeps, records: HoldRecords) =>
  new Reconciler({
    records,
    ledgerSums,
    now: () => database.clock.now(),
    onRaised: ({ counter: { scope, period, spent }, ledgerNanoUsd, byNanoUsd }) =>
      logger.info(
        { component, scope, period, spentNanoUsd: spent, ledgerNanoUsd, byNanoUsd },
        'a budget’s counter lacked costs of the ledger and was raised',
      ),
    onSurplus: ({ counter: { scope, period, spent }, ledgerNanoUsd }) =>
      logger.warn(
        { component, scope, period, spentNanoUsd: spent, ledgerNanoUsd },
        'a budget’s counter has more than the ledger: costs that are unknown, or rows that were lost',
      ),
  })

const unexpectedCosts =
  (logger: Logger, metrics: BudgetMetrics): BudgetRuntime['onUnexpectedCost'] =>
  ({ target, reservedNanoUsd, costNanoUsd, usage }) => {
    metrics.unexpectedCost(costNanoUsd === undefined ? 'unknown' : 'more')
    const { provider, name: model } = target
    const { inputTokens, outputTokens } = usage
    const fields = { component, provider, model, reservedNanoUsd, costNanoUsd, inputTokens, outputTokens }
    if (costNanoUsd === undefined)
      logger.warn(fields, 'an attempt’s cost is unknown: the reserved amount was booked')
    else logger.warn(fields, 'an attempt cost more than was reserved: it was booked in full')
  }

const EVERYONES = { all: true } as const

/** The budgets of keys, which are changed as the keys themselves are. */
const keyBudgetsOf = ({ service }: Pick<Keys, 'service'>): BudgetAdminDeps['keys'] => ({
  budgetOf: async id => (await service.find(id, EVERYONES)).budget ?? {},
  async setBudget(id, { dayNanoUsd = null, monthNanoUsd = null }, record) {
    const recorded = service.recordedBy((_, transaction) => record(transaction))
    await recorded.change(id, { budget: { dayNanoUsd, monthNanoUsd } }, EVERYONES)
  },
})

/** Rejects where the limits cannot be read. */
export const buildBudgets = async (deps: BudgetWiringDeps): Promise<BudgetRuntime> => {
  const { logger, metrics, database } = deps
  const { clock, reportError: onError } = database
  const records = new HoldRecords(database.records)
  const limitRecords = new LimitRecords(database.records)
  const limits = await Limits.read({ records: limitRecords, clock, onError })
  let figures: BudgetFigures = []
  const budgetMetrics = metrics.ofBudgets(() => figures)
  const budgets = new Budgets({
    records,
    ledgerSum: deps.ledgerSum,
    clock,
    process: randomUUID(),
    newId: randomUUID,
    noticeAt: NOTICE_AT,
    onNotice: noticing(deps, budgetMetrics),
    onTakenBack: count =>
      logger.warn({ component, count }, 'reservations of processes that have ended were taken back'),
    onError,
  })
  void runBudgetMaintenance({
    budgets,
    records,
    reconciler: reconcilerOf(deps, records),
    clock,
    onCounters: counters => {
      figures = figuresOf(counters)
    },
    onError,
  })
  return {
    budgets,
    limits,
    admin: new BudgetAdmin({
      limits,
      limitRecords,
      records,
      budgets,
      ledgerSum: deps.ledgerSum,
      keys: keyBudgetsOf(deps.keys),
      now: () => clock.now(),
    }),
    reserved: async caller => {
      const counters = await records.countersOf(dayOf(clock.now()))
      return reservedNow(counters, caller ?? { heldNanoUsd: await records.held() })
    },
    outputSizes: new OutputSizes(),
    onUnexpectedCost: unexpectedCosts(logger, budgetMetrics),
  }
}

export type BudgetPolicyDeps = Readonly<{
  runtime: BudgetRuntime
  settings: Settings
  catalog: Catalog
  tokenizer: Tokenizer
  clock: Clock
}>

const worstCasesOf = ({
  runtime: { outputSizes },
  catalog,
  tokenizer,
  clock,
}: BudgetPolicyDeps): ReserveDeps['worstCases'] => {
  const priceOf: WorstCaseDeps['priceOf'] = (target, call, inputTokens) => {
    const { parameters, passthrough } = call
    const price = catalog.priceOf(target)
    const serviceTier = passthrough ? fieldOf(passthrough, 'service_tier') : parameters?.serviceTier
    const query = { inputTokens, serviceTier, writesForAnHour: () => writesForAnHour(call), at: clock.now() }
    return price && highestTokenPrice(price, query)
  }
  return new WorstCases({
    priceOf,
    unitPriceOf: target => catalog.unitPriceOf(target),
    callPricesOf: ({ provider }) => callPricesOf(provider),
    contextTokensOf: target => catalog.contextTokensOf(target),
    mayPassOn,
    outputLimitsOf,
    outputTokensOf: call => outputSizes.of(call.caller),
    tokenizer,
  })
}

/** The dependencies of the policies. */
export const budgetsOf = (deps: BudgetPolicyDeps): PipelineDeps['budgets'] => {
  const { runtime, settings, clock } = deps
  const { budgets, limits, outputSizes, onUnexpectedCost } = runtime
  return {
    budgets,
    budgetsOf: limits.of,
    worstCases: worstCasesOf(deps),
    outputSizes,
    allowsUnpriced: settings.budgets.unpriced === 'allow',
    mayClamp: settings.budgets.clamp,
    onUnexpectedCost,
    clock,
  }
}
