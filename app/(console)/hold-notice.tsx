import { wait } from './format.ts'
import { withoutWait } from './gateway/failure.ts'
import type { Failure } from './gateway/wire.ts'
import { RequestId } from './request-id.tsx'
import { useCountdown } from './use-countdown.ts'

/** A wait that the gateway requires. */
export type Hold = {
  failure: Failure
  /** When sending is allowed again, as `Date.now()`; absent where the gateway gave no time. */
  until: number | undefined
}

/** Says why sending has to wait, and counts down to when it may go on. */
export function HoldNotice({ hold, onOver }: { hold: Hold; onOver: () => void }) {
  const left = useCountdown(hold.until, onOver)
  return (
    <div className="notice mb-3">
      <p>{withoutWait(hold.failure)}</p>
      <div className="mt-1 flex flex-wrap items-center gap-x-3 text-sm text-muted">
        {hold.until && (
          <p data-countdown className="tabular-nums">
            You can send again in {wait(left)}. Your draft is kept.
          </p>
        )}
        {hold.failure.requestId && <RequestId id={hold.failure.requestId} />}
      </div>
    </div>
  )
}
