import type { Failure } from '../../gateway/wire.ts'
import { RequestId } from '../../request-id.tsx'

/** More would not be corrected at once. */
const MOST_SHOWN = 20

/** Why the files were refused: every error by its file and line, where the gateway reports them. */
export function IntakeErrors({ failure }: { failure: Failure }) {
  const { details = [], message, requestId } = failure
  return (
    <div role="alert" className="notice mt-3">
      {details.length === 0 && <p>{message}</p>}
      {details.length > 0 && (
        <>
          <p>Nothing was uploaded. Fix these lines and send again:</p>
          <ul aria-label="Errors" className="mt-2 flex flex-col gap-1 text-sm">
            {details.slice(0, MOST_SHOWN).map(({ path, message }) => (
              <li key={`${path} ${message}`} className="wrap-anywhere">
                <strong className="font-medium">{location(path)}</strong> {message}
              </li>
            ))}
          </ul>
          {details.length > MOST_SHOWN && (
            <p className="mt-1 text-sm">and {details.length - MOST_SHOWN} more</p>
          )}
        </>
      )}
      {requestId && <RequestId id={requestId} />}
    </div>
  )
}

/** `questions.jsonl, line 3` of `questions.jsonl:3`. */
function location(path: string): string {
  return path.replace(
    /:(\d+)(.*)$/,
    (_, line, rest) => `, line ${line}${rest && `: ${rest.replace(/^[.:]/, '')}`}`,
  )
}
