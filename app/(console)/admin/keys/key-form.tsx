import { type FormEvent, useState } from 'react'
import type { Failure } from '../../gateway/wire.ts'
import { FormEnd } from '../form-end.tsx'
import { useFirstFocus } from '../use-first-focus.ts'
import { FieldInputs } from './field-inputs.tsx'
import type { KeyFields } from './key-fields.ts'

type Props = {
  /** Its accessible name. */
  label: string
  submit: string
  first: KeyFields
  onSubmit: (fields: KeyFields) => Promise<Failure | undefined>
  onCancel: () => void
}

/** The settings of a new or an existing key. */
export function KeyForm({ label, submit, first, onSubmit, onCancel }: Props) {
  const form = useFirstFocus()
  const [fields, setFields] = useState(first)
  const [failure, setFailure] = useState<Failure>()
  const [isSending, setIsSending] = useState(false)

  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    setIsSending(true)
    const refused = await onSubmit(fields)
    setIsSending(false)
    setFailure(refused)
  }

  return (
    <form ref={form} className="mt-3" aria-label={label} onSubmit={event => void send(event)}>
      <FieldInputs fields={fields} onWrite={changed => setFields(now => ({ ...now, ...changed }))} />
      <FormEnd failure={failure} isSending={isSending} submit={submit} onCancel={onCancel} />
    </form>
  )
}
