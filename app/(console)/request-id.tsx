import { CopyButton } from './copy-button.tsx'

/** A request's id, with a button that copies it. */
export function RequestId({ id }: { id: string }) {
  return (
    <span className="flex min-w-0 items-center text-sm text-muted">
      <span className="min-w-0 wrap-anywhere">
        Request <code>{id}</code>
      </span>
      <CopyButton label="Copy request id" text={() => id} />
    </span>
  )
}
