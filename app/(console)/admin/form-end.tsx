import type { Failure } from '../gateway/wire.ts'

type Props = {
  failure: Failure | undefined
  isSending: boolean
  submit: string
  onCancel: () => void
}

/** The end of a form: why it was refused, and its buttons. */
export function FormEnd({ failure, isSending, submit, onCancel }: Props) {
  return (
    <>
      {failure && (
        <p role="alert" className="mt-3 text-sm wrap-anywhere text-danger">
          {failure.message}
        </p>
      )}
      <div className="mt-4 flex flex-wrap gap-2">
        <button type="submit" className="solid-button" disabled={isSending}>
          {submit}
        </button>
        <button type="button" className="outline-button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </>
  )
}
