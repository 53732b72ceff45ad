import { type FormEvent, useState } from 'react'
import type { Failure } from '../../gateway/wire.ts'
import { FormEnd } from '../form-end.tsx'
import { useFirstFocus } from '../use-first-focus.ts'
import type { Budget } from '../wire.ts'
import { AmountField } from './amount-field.tsx'
import type { BudgetLimits } from './use-budgets.ts'

type Props = {
  budget: Budget
  name: string
  onSave: (limits: BudgetLimits) => Promise<Failure | undefined>
  onClose: () => void
}

/** Both limits of a budget; an empty field is no limit. */
export function BudgetForm({ budget, name, onSave, onClose }: Props) {
  const form = useFirstFocus()
  const [day, setDay] = useState(String(budget.budgetUsd.day ?? ''))
  const [month, setMonth] = useState(String(budget.budgetUsd.month ?? ''))
  const [failure, setFailure] = useState<Failure>()
  const [isSending, setIsSending] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    setIsSending(true)
    const refused = await onSave({
      ...(day !== '' && { day: Number(day) }),
      ...(month !== '' && { month: Number(month) }),
    })
    setIsSending(false)
    setFailure(refused)
    if (!refused) onClose()
  }

  return (
    <form ref={form} className="mt-3" aria-label={`Limits of ${name}`} onSubmit={event => void submit(event)}>
      <div className="field-grid">
        <AmountField label="A day, in US dollars" value={day} onWrite={setDay} />
        <AmountField label="A month, in US dollars" value={month} onWrite={setMonth} />
      </div>
      <FormEnd failure={failure} isSending={isSending} submit="Save limits" onCancel={onClose} />
    </form>
  )
}
