import { useId, useRef } from 'react'

type Props = {
  label: string
  /** The question before the action. */
  question: string
  /** The labels of the confirming and the cancelling button. */
  yes: string
  no: string
  onConfirm: () => void
}

/** A button for an irreversible action, with confirmation. Escape cancels. */
export function ConfirmButton({ label, question, yes, no, onConfirm }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  const close = () => dialog.current?.close()

  function confirm() {
    close()
    onConfirm()
  }

  return (
    <>
      <button type="button" className="text-button" onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={id} className="dialog">
        <p id={id}>{question}</p>
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
