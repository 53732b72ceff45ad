import { useRef, useState } from 'react'
import { useAdminApi } from '../admin-api.ts'
import type { Budget } from '../wire.ts'
import { BudgetForm } from './budget-form.tsx'
import { BudgetLines } from './budget-lines.tsx'
import type { Budgets } from './use-budgets.ts'

type Props = { budget: Budget; name: string; onChange: Budgets['change'] }

/** The budget of all callers or of an owner, which can be changed. */
export function BudgetCard({ budget, name, onChange }: Props) {
  const { announce } = useAdminApi()
  const [isOpen, setIsOpen] = useState(false)
  const opener = useRef<HTMLButtonElement>(null)

  function close() {
    setIsOpen(false)
    opener.current?.focus()
  }

  async function save(limits: Parameters<typeof onChange>[1]) {
    const failure = await onChange(budget.scope, limits)
    if (!failure) announce(`The limits of ${name} are saved.`)
    return failure
  }

  return (
    <article className="job" aria-label={`Budget of ${name}`}>
      <div className="flex flex-wrap items-center justify-between gap-x-4">
        <h3 className="min-w-0 font-medium wrap-anywhere first-letter:uppercase">{name}</h3>
        <button
          ref={opener}
          type="button"
          className="text-button -mr-2.5"
          aria-expanded={isOpen}
          aria-label={`Change limits of ${name}`}
          onClick={() => setIsOpen(!isOpen)}
        >
          Change limits
        </button>
      </div>
      <BudgetLines budget={budget} name={name} />
      {isOpen && <BudgetForm budget={budget} name={name} onSave={save} onClose={close} />}
    </article>
  )
}
