import { type FormEvent, useState } from 'react'
import { FailureNotice } from '../failure-notice.tsx'
import { BudgetCard } from './budget-card.tsx'
import { scopeAsWords } from './budget-words.ts'
import type { Budgets } from './use-budgets.ts'

type Props = {
  list: Budgets
  /** The owners of the keys that are shown. */
  owners: readonly string[]
}

/** The budgets of all callers together and of owners. Those of keys are shown with the keys. */
export function BudgetsSection({ list, owners }: Props) {
  const [added, setAdded] = useState<readonly string[]>([])
  const scopes = ['all', ...new Set([...owners, ...added].map(owner => `owner:${owner}`))]
  const missing = scopes.filter(scope => !list.budgets.has(scope))

  function show(owner: string) {
    setAdded([...added, owner])
    list.want([`owner:${owner}`])
  }

  return (
    <section aria-labelledby="budgets" className="mt-12">
      <h2 id="budgets" className="section-title">
        Budgets
      </h2>
      <p className="mt-1 text-sm text-muted">
        For each day and month in UTC. What calls in progress may cost is reserved.
      </p>
      {list.failure ? (
        <FailureNotice failure={list.failure} onRetry={() => void list.load(missing)} />
      ) : (
        missing.length > 0 && <p className="mt-2 text-muted">Loading budgets…</p>
      )}
      <ul className="mt-3 flex flex-col gap-3">
        {scopes.map(scope => {
          const budget = list.budgets.get(scope)
          const name = scopeAsWords(scope, () => undefined)
          return (
            budget && (
              <li key={scope}>
                <BudgetCard budget={budget} name={name} onChange={list.change} />
              </li>
            )
          )
        })}
      </ul>
      <OwnerForm onShow={show} />
    </section>
  )
}

function OwnerForm({ onShow }: { onShow: (owner: string) => void }) {
  const [owner, setOwner] = useState('')

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (owner.trim() !== '') onShow(owner.trim())
    setOwner('')
  }

  return (
    <form className="mt-4 flex flex-wrap items-end gap-2" onSubmit={submit}>
      <label className="field min-w-0 flex-1 basis-48">
        Budget of another owner
        <input
          type="text"
          autoComplete="off"
          required
          value={owner}
          onChange={event => setOwner(event.target.value)}
        />
      </label>
      <button type="submit" className="outline-button">
        Show budget
      </button>
    </form>
  )
}
