import { useCallback, useState } from 'react'
import { wait } from '../../format.ts'
import { anotherModelMayAnswer, withoutWait } from '../../gateway/failure.ts'
import type { Failure, Model } from '../../gateway/wire.ts'
import { EditIcon, RetryIcon } from '../../icons.tsx'
import { RequestId } from '../../request-id.tsx'
import { useCountdown } from '../../use-countdown.ts'
import { AnotherModel } from './another-model.tsx'

type Props = {
  failure: Failure
  /** The model that failed; undefined where the gateway chose it. */
  asked: string | undefined
  models: Model[] | undefined
  onRetry: ((model?: string) => void) | undefined
  onTakeBack: (() => void) | undefined
}

/** The gateway's error message, the request id, and possible next steps. */
export function FailureNotice({ failure, asked, models = [], onRetry, onTakeBack }: Props) {
  const others = models.filter(({ id, available }) => available && id !== asked)
  return (
    <div className="notice mt-4">
      <p>{withoutWait(failure)}</p>
      <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1">
        {failure.retryable && onRetry && <RetryWhenReady failure={failure} onRetry={() => onRetry()} />}
        {!failure.retryable && onTakeBack && (
          <button type="button" className="text-button" onClick={onTakeBack}>
            <EditIcon /> Edit the question
          </button>
        )}
        {onRetry && anotherModelMayAnswer(failure) && others.length > 0 && (
          <AnotherModel models={others} onRetry={onRetry} />
        )}
        {failure.requestId && <RequestId id={failure.requestId} />}
      </div>
    </div>
  )
}

function RetryWhenReady({ failure, onRetry }: { failure: Failure; onRetry: () => void }) {
  const [until] = useState(() => Date.now() + (failure.retryAfterSeconds ?? 0) * 1_000)
  const left = useCountdown(
    until,
    useCallback(() => undefined, []),
  )
  return (
    <button type="button" className="text-button" disabled={left > 0} onClick={onRetry}>
      <RetryIcon /> {left > 0 ? `Try again in ${wait(left)}` : 'Try again'}
    </button>
  )
}
