import { type Clock, isoTime, sleep } from '../clock.ts'
import { usdOfNano } from '../money.ts'
import type { PostWebhook } from '../webhook/post.ts'
import { sendWebhook } from '../webhook/send.ts'
import type { BudgetNotice } from './budgets.ts'
import { endOf } from './period.ts'

const PAUSES_MS = [0, 5_000, 30_000, 120_000]
const NEVER = new AbortController().signal

export type BudgetWebhookDeps = Readonly<{
  url: string
  secret: string
  post: PostWebhook
  clock: Clock
  newId: () => string
  /** Called with each failure. */
  onError: (error: unknown) => void
}>

const EVENT = 'budget.threshold'

const messageOf = ({ scope, period, spentNanoUsd, limitNanoUsd }: BudgetNotice) => ({
  type: EVENT,
  budget: {
    scope,
    period,
    spentUsd: usdOfNano(spentNanoUsd),
    limitUsd: usdOfNano(limitNanoUsd),
    renewsAt: isoTime(endOf(period)),
  },
})

/** Posts a notice, in at most four attempts. Never rejects. */
export const postNotice = async (notice: BudgetNotice, deps: BudgetWebhookDeps): Promise<void> => {
  const { url, secret, post, clock, newId, onError } = deps
  const message = messageOf(notice)
  const id = newId()
  for (const [index, pauseMs] of PAUSES_MS.entries()) {
    await sleep(clock, pauseMs, NEVER)
    const delivery = `${id}:${index + 1}`
    try {
      return await sendWebhook({ url, event: EVENT, delivery, message }, { post, secret, now: clock.now() })
    } catch (error) {
      onError(error)
    }
  }
}
