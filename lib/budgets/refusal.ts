import { isoTime } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { usdOfNano } from '../money.ts'
import { endOf, isDay, limitIn } from './period.ts'
import { kindOf, type ScopeKind } from './scope.ts'
import type { Counter, Limit, Refusal } from './types.ts'

const OWNERS: Readonly<Record<ScopeKind, string>> = {
  all: 'this gateway',
  owner: 'this key’s owner',
  key: 'this key',
}

/**
 * Explains why an amount could not be reserved. One that fits by now counts as reserved out, since the next attempt will
 * succeed.
 */
export const refusalOf = (
  limits: readonly Limit[],
  counters: readonly Counter[],
  nanoUsd: number,
): Refusal => {
  const states = counters.map(counter => {
    const limit = limits.find(({ scope }) => scope === counter.scope)
    const most = limit ? limitIn(limit, counter.period) : Number.POSITIVE_INFINITY
    return { ...counter, most, unspent: most - counter.spent, left: most - counter.spent - counter.reserved }
  })
  const leftNanoUsd = Math.max(0, Math.min(...states.map(({ left }) => left)))
  const spent = states.filter(({ unspent }) => unspent < nanoUsd)
  // Where several are spent, the one whose period ends last decides.
  const decisive = spent.toSorted((a, b) => endOf(b.period) - endOf(a.period))[0]
  const found = decisive ?? states.toSorted((a, b) => a.left - b.left)[0]
  if (!found) throw new Error('There is no budget to refuse an amount.')
  // The caller's own key stands before those that made it.
  const isMakers = kindOf(found.scope) === 'key' && found.scope !== limits[0]?.scope
  return {
    kind: decisive ? 'spent' : 'reserved',
    scope: found.scope,
    ...(isMakers && { isMakers }),
    period: found.period,
    limitNanoUsd: found.most,
    spentNanoUsd: found.spent,
    leftNanoUsd,
  }
}

const usd = (nanoUsd: number): string => `$${Number(usdOfNano(nanoUsd).toPrecision(6))}`

/** `The daily budget of this key`. */
const nameOf = ({ scope, isMakers, period }: Refusal): string => {
  const owner = isMakers ? 'the key that made this one' : OWNERS[kindOf(scope)]
  return `${isDay(period) ? 'daily' : 'monthly'} budget of ${owner}`
}

/** Figures of a budget of all callers, or of another key, are not for one of them. */
const figuresOf = ({ scope, isMakers, limitNanoUsd, spentNanoUsd }: Refusal): string =>
  scope === 'all' || isMakers ? '' : ` (${usd(spentNanoUsd)} of ${usd(limitNanoUsd)} spent)`

const spentOut = (refusal: Refusal, nanoUsd: number, now: number): GatewayError => {
  const renewsAt = endOf(refusal.period)
  const renewal = `It renews at ${isoTime(renewsAt)}.`
  const isUsedUp = refusal.spentNanoUsd >= refusal.limitNanoUsd
  const message = isUsedUp
    ? `The ${nameOf(refusal)} is used up${figuresOf(refusal)}. ${renewal}`
    : `What is left of the ${nameOf(refusal)}${figuresOf(refusal)} does not cover this call, which may cost up to ${usd(nanoUsd)}; a lower limit of output tokens makes it cheaper. ${renewal}`
  return new GatewayError('QUOTA_EXCEEDED', message, {
    retryAfterSeconds: Math.max(1, Math.ceil((renewsAt - now) / 1000)),
  })
}

/** The error for a refused amount: final where the rest of the budget is spent, else to be tried again after a second. */
export const refusalError = (refusal: Refusal, nanoUsd: number, now: number): GatewayError =>
  refusal.kind === 'spent'
    ? spentOut(refusal, nanoUsd, now)
    : new GatewayError(
        'RATE_LIMITED',
        `The rest of the ${nameOf(refusal)} is reserved by calls in progress. Please try again shortly.`,
        { retryAfterSeconds: 1 },
      )

/** The error for a call of which it is not known what it may cost at most. */
export const unpricedError = (model: string): GatewayError => {
  const message = `The price of ${model}, or of a tool that its provider runs, is not known, or how much it may read; and a budget applies to this call. Choose a model whose price and context window are known.`
  return new GatewayError('FORBIDDEN', message, { details: [{ path: 'model', message }] })
}
