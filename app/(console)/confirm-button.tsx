import { type ReactNode, useId, useRef } from 'react'

type Props = {
  label: string
  /** Its accessible name, where the label alone does not say of what; it begins with the label. */
  name?: string
  /** The question before the action. */
  question: string
  /** The labels of the confirming and the cancelling button. */
  yes: string
  no: string
  onConfirm: () => void
  /** Further questions. */
  children?: ReactNode
}

/** A button for an irreversible action, with confirmation. Escape cancels. */
export function ConfirmButton({ label, name = label, question, yes, no, onConfirm, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  const close = () => dialog.current?.close()

  function confirm() {
    close()
    onConfirm()
  }

  return (
    <>
      <button
        type="button"
        className="text-button"
        aria-label={name}
        onClick={() => dialog.current?.showModal()}
      >
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={id} className="dialog">
        <p id={id}>{question}</p>
        {children}
        <div className="mt-5 flex flex-wrap justify-end gap-2">
          <button type="button" className="text-button" onClick={close}>
            {no}
          </button>
          <button type="button" className="danger-button" onClick={confirm}>
            {yes}
          </button>
        </div>
      </dialog>
    </>
  )
}
