import type { Remembered } from './remembered-jobs.ts'

type Props = { jobs: readonly Remembered[]; onDismiss: () => void }

/** Says that batches belong to a session that this browser no longer has, and what to do. */
export function LostSession({ jobs, onDismiss }: Props) {
  return (
    <div role="alert" className="notice mt-3">
      <p className="font-medium">Your session was lost, so these batches can’t be shown any more:</p>
      <ul className="mt-1 list-disc pl-5 wrap-anywhere">
        {jobs.map(({ id, name }) => (
          <li key={id}>{name}</li>
        ))}
      </ul>
      <p className="mt-1">
        A batch can only be opened in the session that created it, and that session’s cookie is gone or has
        expired. To get the answers, upload the files again.
      </p>
      <button type="button" className="text-button mt-1" onClick={onDismiss}>
        Dismiss
      </button>
    </div>
  )
}
