import { type Clock, isoTime, sleep } from '../clock.ts'
import { usdOfNano } from '../money.ts'
import type { BudgetNotice } from './budgets.ts'
import { endOf } from './period.ts'

const PAUSES_MS = [0, 5_000, 30_000, 120_000]
const NEVER = new AbortController().signal

export type BudgetWebhookDeps = Readonly<{
  /** Posts a message with these headers. Resolves to the status. */
  post: (json: string, headers: Readonly<Record<string, string>>) => Promise<number>
  /** The value of `x-parley-signature`. */
  signatureOf: (message: string, now: number) => string
  clock: Clock
  newId: () => string
  /** Called with each failure. */
  onError: (error: unknown) => void
}>

const messageOf = ({ scope, period, spentNanoUsd, limitNanoUsd }: BudgetNotice) => ({
  type: 'budget.threshold',
  budget: {
    scope,
    period,
    spentUsd: usdOfNano(spentNanoUsd),
    limitUsd: usdOfNano(limitNanoUsd),
    renewsAt: isoTime(endOf(period)),
  },
})

/** Posts a notice, in at most four attempts. Never rejects. @returns whether it was taken */
export const postNotice = async (notice: BudgetNotice, deps: BudgetWebhookDeps): Promise<boolean> => {
  const { post, signatureOf, clock, newId, onError } = deps
  const json = JSON.stringify(messageOf(notice))
  const id = newId()
  for (const [index, pauseMs] of PAUSES_MS.entries()) {
    await sleep(clock, pauseMs, NEVER)
    try {
      const status = await post(json, {
        'x-parley-event': 'budget.threshold',
        'x-parley-delivery': `${id}:${index + 1}`,
        'x-parley-signature': signatureOf(json, clock.now()),
      })
      if (status >= 200 && status < 300) return true
      onError(new Error(`the webhook answered ${status}`))
    } catch (error) {
      onError(error)
    }
  }
  return false
}
