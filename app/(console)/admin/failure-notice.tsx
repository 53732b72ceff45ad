import type { Failure } from '../gateway/wire.ts'
import { RequestId } from '../request-id.tsx'

type Props = { failure: Failure; onRetry: () => void }

/** Says what could not be loaded, and offers to try again. */
export function FailureNotice({ failure, onRetry }: Props) {
  return (
    <div className="notice mt-3">
      <p role="alert">{failure.message}</p>
      <div className="mt-1 flex flex-wrap items-center gap-x-3">
        <button type="button" className="text-button" onClick={onRetry}>
          Try again
        </button>
        {failure.requestId && <RequestId id={failure.requestId} />}
      </div>
    </div>
  )
}
